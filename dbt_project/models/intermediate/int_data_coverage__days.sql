{#-
dataset -> (its table, the payloads that feed it, how many values a half-hour has, what makes one present, which rows).
A dataset is a clean table, or one market of it.
-#}
{%- set ci = 'carbon_intensity__' -%}
{%- set neso_demand = ['neso__demand_history', 'neso__demand_update'] -%}
{%- set forecasts = ['neso__demand_forecast_2_14d', 'neso__demand_forecast_day_ahead', 'neso__demand_forecast_cardinal'] -%}
{%- set datasets = {
    'carbon_intensity_national':
        ('carbon_intensity_national', [ci ~ 'national'], 1, 'coalesce(actual_gco2_kwh, forecast_gco2_kwh)', 'true'),
    'carbon_intensity_regional': ('carbon_intensity_regional', [ci ~ 'regional'], 18, 'forecast_gco2_kwh', 'true'),
    'generation_mix_national': ('generation_mix_national', [ci ~ 'generation'], 1, 'renewable_pct', 'true'),
    'generation_mix_regional': ('generation_mix_regional', [ci ~ 'regional'], 18, 'renewable_pct', 'true'),
    'demand_actual_national':
        ('demand_actual_national', neso_demand + ['elexon__demand_outturn'], 1, 'national_demand_mw', 'true'),
    'demand_forecast_national': (
        'demand_forecast_national', forecasts + ['elexon__demand_forecast'], 1,
        'national_demand_mw', 'true',
    ),
    'demand_regional/nation': ('demand_regional', neso_demand, 2, 'demand_mw', "area_type = 'nation'"),
    'demand_regional/zone': ('demand_regional', ['elexon__demand_forecast_zonal'], 17, 'demand_mw', "area_type = 'zone'"),
    'wholesale_prices/n2ex_day_ahead':
        ('wholesale_prices', ['neso__n2ex_day_ahead'], 1, 'price_gbp_mwh', "market = 'n2ex_day_ahead'"),
    'wholesale_prices/apx_market_index':
        ('wholesale_prices', ['elexon__market_index'], 1, 'price_gbp_mwh', "market = 'apx_market_index'"),
    'wholesale_prices/system_price':
        ('wholesale_prices', ['elexon__system_prices'], 1, 'price_gbp_mwh', "market = 'system_price'"),
} -%}
{%- set prices = ['neso__n2ex_day_ahead', 'elexon__market_index', 'elexon__system_prices'] -%}
{%- set events = ['neso__eac_results', 'neso__dfs_utilisation'] -%}
{%- set counted = {'flexibility_prices': (events, 'delivery_start')} -%}
{{ config(
    materialized='keyed_table',
    unique_key=['dataset', 'settlement_date'],
    replaces=true,
    publishes=[ci ~ 'national', ci ~ 'regional', ci ~ 'generation'] + neso_demand + forecasts + prices + events + [
        'elexon__demand_outturn', 'elexon__demand_forecast', 'elexon__demand_forecast_zonal'
    ],
) }}
-- Only the days that a new payload speaks of are counted again, so the cost does not grow with history.
{%- for dataset, (table, payloads, series, value, rows) in datasets.items() %}
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
from ({{ days_spoken_of(prices if table == 'wholesale_prices' else payloads) }}) as day
left join lateral (
    select
        period_start,
        count(*) as rows,
        count(*) filter (where is_synthetic) as rows_synthetic,
        count({{ value }}) as values_present,
        count({{ value }}) filter (where is_synthetic) as values_synthetic
    from {{ ref(table) }}
    where period_start >= {{ settlement_day_start('day.settlement_date') }}
        and period_start < {{ settlement_day_start('day.settlement_date + 1') }}
        and {{ rows }}
    group by period_start
) as half_hour on true
group by day.settlement_date
union all
{%- endfor %}
-- events and snapshots, not half-hours: their rows are counted, and none is ever missing
{%- for table, (payloads, starts) in counted.items() %}
select
    '{{ table }}' as dataset, day.settlement_date, 0, 0, 0, coalesce(event.rows, 0)::integer,
    coalesce(event.rows_synthetic, 0)::integer, now()
from ({{ days_spoken_of(payloads) }}) as day
left join lateral (
    select count(*) as rows, count(*) filter (where is_synthetic) as rows_synthetic
    from {{ ref(table) }}
    where {{ starts }} >= {{ settlement_day_start('day.settlement_date') }}
        and {{ starts }} < {{ settlement_day_start('day.settlement_date + 1') }}
) as event on true
{{ 'union all' if not loop.last }}
{%- endfor %}
