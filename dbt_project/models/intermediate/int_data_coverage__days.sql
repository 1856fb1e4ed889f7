{#- dataset -> how many values a half-hour has (1, or a region each), and what makes one present -#}
{%- set datasets = {
    'carbon_intensity_national': ('carbon_intensity__national', 1, 'coalesce(actual_gco2_kwh, forecast_gco2_kwh)'),
    'carbon_intensity_regional': ('carbon_intensity__regional', 18, 'forecast_gco2_kwh'),
    'generation_mix_national': ('carbon_intensity__generation', 1, 'renewable_pct'),
    'generation_mix_regional': ('carbon_intensity__regional', 18, 'renewable_pct'),
} -%}
{{ config(
    materialized='keyed_table',
    unique_key=['dataset', 'settlement_date'],
    replaces=true,
    publishes=['carbon_intensity__national', 'carbon_intensity__regional', 'carbon_intensity__generation'],
) }}
-- Only the days that a new payload speaks of are counted again, so the cost does not grow with history.
{%- for dataset, (payloads, series, value) in datasets.items() %}
select
    '{{ dataset }}'::text as dataset,
    day.settlement_date,
    count(half_hour.period_start) filter (
        where half_hour.values_present = {{ series }}
    )::smallint as half_hours_present,
    count(half_hour.period_start) filter (
        where half_hour.values_present = {{ series }} and half_hour.values_synthetic = 0
    )::smallint as half_hours_real,
    count(half_hour.period_start) filter (
        where half_hour.values_present = {{ series }} and half_hour.values_synthetic > 0
    )::smallint as half_hours_synthetic,
    coalesce(sum(half_hour.rows), 0)::integer as row_count,
    coalesce(sum(half_hour.rows_synthetic), 0)::integer as row_count_synthetic,
    now() as updated_at
from (
    select distinct {{ settlement_date('instant') }} as settlement_date
    from {{ source('staging', payloads ~ '_payloads') }} as payload
    cross join lateral
        generate_series(payload.window_start, payload.window_end - interval '30 minutes', interval '30 minutes') as instant
    where payload.payload_id in ({{ published_payload_ids(payloads) }})
) as day
left join lateral (
    select
        period_start,
        count(*) as rows,
        count(*) filter (where is_synthetic) as rows_synthetic,
        count({{ value }}) as values_present,
        count({{ value }}) filter (where is_synthetic) as values_synthetic
    from {{ ref(dataset) }}
    where period_start >= {{ settlement_day_start('day.settlement_date') }}
        and period_start < {{ settlement_day_start('day.settlement_date + 1') }}
    group by period_start
) as half_hour on true
group by day.settlement_date
{{ 'union all' if not loop.last }}
{%- endfor %}
