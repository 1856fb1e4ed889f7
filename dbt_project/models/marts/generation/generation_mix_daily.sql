-- GB (region 18) is the national mix.
with half_hours as (
    select 18::smallint as region_id, period_start, is_synthetic, {{ mix_columns() }}
    from {{ ref('generation_mix_national') }}
    union all
    select region_id, period_start, is_synthetic, {{ mix_columns() }}
    from {{ ref('generation_mix_regional') }}
    where region_id < 18
)

select
    region_id,
    {{ settlement_date('period_start') }} as settlement_date,
    {%- for fuel in fuels() + ['renewable', 'low_carbon'] %}
    round(avg({{ fuel }}_pct), 1)::numeric(4, 1) as {{ fuel }}_pct,
    {%- endfor %}
    count(renewable_pct)::smallint as half_hours,
    {{ half_hours_expected(settlement_date('period_start')) }}::smallint as half_hours_expected,
    round(100.0 * count(renewable_pct) filter (where is_synthetic) / nullif(count(renewable_pct), 0), 1)::numeric(4, 1)
        as synthetic_pct
from half_hours
group by region_id, {{ settlement_date('period_start') }}
