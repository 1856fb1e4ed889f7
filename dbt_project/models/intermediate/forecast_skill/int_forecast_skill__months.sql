{{ config(
    materialized='keyed_table',
    unique_key=['month', 'series', 'region_id', 'forecast_type', 'lead_hours'],
    meta={'replaces': true, 'follows': skill_tables()},
) }}
-- What forecast_skill reads: a thirtieth of the rows of the days, so that years cost little.
with months as (
    {%- if is_rebuild() %}
    select distinct date_trunc('month', settlement_date)::date as month from {{ ref('int_forecast_skill__days') }}
    {%- else %}
    {%- for dataset in datasets_of(model) %}
    select date_trunc('month', {{ settlement_date('period_start') }})::date as month
    from {{ published_rows(dataset) }} as {{ dataset }}
    where period_start is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
    {%- endif %}
)

select
    months.month,
    days.series,
    days.region_id,
    days.forecast_type,
    days.lead_hours,
    sum(days.forecasts)::bigint as forecasts,
    sum(days.error_sum)::bigint as error_sum,
    sum(days.absolute_error_sum)::bigint as absolute_error_sum,
    sum(days.squared_error_sum)::bigint as squared_error_sum,
    now() as updated_at
from months
cross join lateral (
    select * from {{ ref('int_forecast_skill__days') }}
    where settlement_date >= months.month and settlement_date < (months.month + interval '1 month')::date
    offset 0
) as days
group by months.month, days.series, days.region_id, days.forecast_type, days.lead_hours
