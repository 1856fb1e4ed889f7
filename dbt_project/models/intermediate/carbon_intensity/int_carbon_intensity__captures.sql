{{ config(
    materialized='keyed_table',
    unique_key=['region_id', 'payload_id'],
    publishes=['carbon_intensity__national', 'carbon_intensity__regional'],
    indexes=[{'columns': ['known_at']}],
) }}
-- What was known of the coming half-hours when a payload was fetched. Region 18 (GB) is the national forecast; the
-- regional feed's own GB row is another model's estimate of it. A half-hour that had ended is no forecast and stays out.
with coming as (
    select 18::smallint as region_id, payload_id, is_synthetic, fetched_at, period_start, forecast_gco2_kwh
    from {{ published_rows('carbon_intensity__national') }} as national
    where period_end > fetched_at and forecast_gco2_kwh is not null
    union all
    select region_id, payload_id, is_synthetic, fetched_at, period_start, forecast_gco2_kwh
    from {{ published_rows('carbon_intensity__regional') }} as regional
    where period_end > fetched_at and forecast_gco2_kwh is not null and region_id < 18
),

once as (
    select region_id, payload_id, is_synthetic, fetched_at, period_start, max(forecast_gco2_kwh) as forecast_gco2_kwh
    from coming
    group by region_id, payload_id, is_synthetic, fetched_at, period_start
),

checked as (
    select region_id, payload_id, is_synthetic, fetched_at, period_start, forecast_gco2_kwh, is_isolated
    from {{ with_isolated('once', 'forecast_gco2_kwh', ['payload_id', 'region_id']) }} as apart
),

spans as (
    select region_id, payload_id, is_synthetic, fetched_at, min(period_start) as first_start, max(period_start) as last_start
    from once
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
    now() as updated_at
from spans
cross join lateral
    generate_series(spans.first_start, spans.last_start, interval '30 minutes') as spine (period_start)
left join checked
    on spans.region_id = checked.region_id
    and spans.payload_id = checked.payload_id
    and spine.period_start = checked.period_start
group by spans.region_id, spans.payload_id, spans.is_synthetic, spans.fetched_at, spans.first_start
