{{ config(
    materialized='keyed_table',
    unique_key=['payload_id', 'forecast_type'],
    meta={'consumes': demand_forecasts().keys() | list},
    indexes=[{'columns': ['known_at']}],
) }}
-- What was known of the coming half-hours when a payload was fetched. A half-hour that had ended stays out.
-- Of two rows for a half-hour the one that was issued later counts.
with coming as (
    {%- for dataset, forecast_type in demand_forecasts().items() %}
    select
        '{{ forecast_type }}'::text as forecast_type, '{{ dataset.split('__')[0] }}'::text as source, payload_id, is_synthetic, fetched_at,
        period_start,
        (array_agg(national_demand_mw order by issued_at desc, national_demand_mw desc))[1] as national_demand_mw
    from {{ published_rows(dataset) }} as {{ dataset }}
    where period_start + interval '30 minutes' > fetched_at and national_demand_mw is not null
    group by payload_id, is_synthetic, fetched_at, period_start
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

spans as (
    select
        forecast_type, source, payload_id, is_synthetic, fetched_at, min(period_start) as first_start,
        max(period_start) as last_start
    from coming
    group by forecast_type, source, payload_id, is_synthetic, fetched_at
)

select
    spans.payload_id,
    spans.forecast_type,
    spans.source,
    spans.fetched_at as known_at,
    spans.first_start as first_period_start,
    array_agg(coming.national_demand_mw order by spine.period_start) as national_demand_mw,
    spans.is_synthetic,
    spans.fetched_at,
    now() as updated_at
from spans
cross join lateral generate_series(spans.first_start, spans.last_start, interval '30 minutes') as spine (period_start)
left join coming
    on spans.payload_id = coming.payload_id
    and spans.forecast_type = coming.forecast_type
    and spine.period_start = coming.period_start
group by
    spans.payload_id, spans.forecast_type, spans.source, spans.fetched_at, spans.first_start, spans.is_synthetic
