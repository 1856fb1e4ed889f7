{{ config(
    materialized='keyed_table',
    unique_key=['region_id', 'payload_id'],
    meta={'consumes': ['carbon_intensity__national', 'carbon_intensity__regional']},
    indexes=[
        {'columns': ['known_at']}, {'columns': ['region_id', 'is_synthetic', 'known_at']},
        {'columns': ['region_id', 'is_archive', 'known_at']},
    ],
) }}
{%- set previous = 'beside.known_before' %}
{%- if execute and not is_rebuild() %}
    {%- set previous = 'coalesce(beside.known_before, ' ~ captured_before(this, 'beside.region_id', 'beside') ~ ')' %}
{%- endif %}
-- What was known of the coming half-hours when a payload was fetched. Region 18 (GB) is the national forecast; the
-- regional feed's own GB row is another model's estimate of it. A half-hour that had ended is no forecast and stays out, once the
-- half-hours beside it have been compared with it.
with given as (
    select 18::smallint as region_id, payload_id, is_synthetic, fetched_at, period_start, forecast_gco2_kwh, sent_gco2_kwh
    from {{ published_rows('carbon_intensity__national') }} as national
    where sent_gco2_kwh is not null and {{ is_beside_a_forecast() }}
    union all
    select region_id, payload_id, is_synthetic, fetched_at, period_start, forecast_gco2_kwh, sent_gco2_kwh
    from {{ published_rows('carbon_intensity__regional') }} as regional
    where sent_gco2_kwh is not null and region_id < 18 and {{ is_beside_a_forecast() }}
),

once as (
    select
        region_id, payload_id, is_synthetic, fetched_at, period_start, max(forecast_gco2_kwh) as forecast_gco2_kwh,
        max(sent_gco2_kwh) as sent_gco2_kwh,
        -- the same half-hour in the last response before this one, if that is published at the same time
        last_value(max(forecast_gco2_kwh)) over (
            partition by region_id, period_start, is_synthetic
            order by fetched_at
            range between interval '3 days' preceding and {{ confirmed_after() }} preceding
        ) as known_before
    from given
    group by region_id, payload_id, is_synthetic, fetched_at, period_start
),

checked as (
    select region_id, payload_id, is_synthetic, fetched_at, period_start, forecast_gco2_kwh, is_isolated
    from {{ with_isolated('once', 'forecast_gco2_kwh', ['payload_id', 'region_id'], previous, sent='sent_gco2_kwh') }} as apart
    where period_start + interval '30 minutes' > fetched_at and forecast_gco2_kwh is not null
),

spans as (
    select region_id, payload_id, is_synthetic, fetched_at, min(period_start) as first_start, max(period_start) as last_start
    from checked
    group by region_id, payload_id, is_synthetic, fetched_at
)

select
    spans.region_id,
    spans.payload_id,
    spans.fetched_at as known_at,
    spans.first_start as first_period_start,
    array_agg(checked.forecast_gco2_kwh order by spine.period_start) as forecasts_gco2_kwh,
    array_agg(checked.is_isolated order by spine.period_start) as are_isolated,
    spans.is_synthetic,
    spans.fetched_at,
    now() as updated_at,
    coalesce(national.origin, regional.origin) = 'archive' as is_archive
from spans
left join {{ payloads('carbon_intensity__national') }} as national on spans.payload_id = national.payload_id
left join {{ payloads('carbon_intensity__regional') }} as regional on spans.payload_id = regional.payload_id
cross join lateral
    generate_series(spans.first_start, spans.last_start, interval '30 minutes') as spine (period_start)
left join checked
    on spans.region_id = checked.region_id
    and spans.payload_id = checked.payload_id
    and spine.period_start = checked.period_start
group by spans.region_id, spans.payload_id, spans.is_synthetic, spans.fetched_at, spans.first_start,
    national.origin, regional.origin
