with instant as (
    select now() as as_of
)

select
    instant.as_of,
    intensity.period_start as intensity_period_start,
    intensity.gco2_kwh,
    intensity.is_measured as intensity_is_measured,
    intensity.intensity_index,
    {{ age('intensity') }},
    intensity.is_synthetic as intensity_is_synthetic,
    mix.period_start as mix_period_start,
    {%- for fuel in fuels() %}
    mix.{{ fuel }}_pct,
    {%- endfor %}
    mix.renewable_pct,
    mix.low_carbon_pct,
    {{ age('mix') }},
    mix.is_synthetic as mix_is_synthetic,
    demand.period_start as demand_period_start,
    demand.national_demand_mw,
    demand.is_measured as demand_is_measured,
    {{ age('demand') }},
    demand.is_synthetic as demand_is_synthetic,
    price.period_start as price_period_start,
    price.price_gbp_mwh,
    price.market as price_market,
    {{ age('price') }},
    price.is_synthetic as price_is_synthetic,
    {{ synthetic_age('intensity') }},
    {{ synthetic_age('mix') }},
    {{ synthetic_age('demand') }},
    {{ synthetic_age('price') }}
from instant
left join lateral (
    select
        period_start, period_end, coalesce(actual_gco2_kwh, forecast_gco2_kwh) as gco2_kwh,
        actual_gco2_kwh is not null as is_measured, intensity_index, is_synthetic
    from {{ ref('carbon_intensity_national') }}
    where period_start <= instant.as_of and coalesce(actual_gco2_kwh, forecast_gco2_kwh) is not null
    order by period_start desc
    limit 1
) as intensity on true
left join lateral (
    select *
    from {{ ref('generation_mix_national') }}
    where period_start <= instant.as_of and renewable_pct is not null
    order by period_start desc
    limit 1
) as mix on true
left join lateral (
    select period_start, period_end, national_demand_mw, is_measured, is_synthetic
    from (
        (
            select period_start, period_end, national_demand_mw, true as is_measured, is_synthetic
            from {{ ref('demand_actual_national') }}
            where period_start <= instant.as_of
            order by period_start desc
            limit 1
        )
        union all
        (
            select period_start, period_end, national_demand_mw, false as is_measured, is_synthetic
            from {{ ref('demand_forecast_national') }}
            where period_start <= instant.as_of
            order by period_start desc
            limit 1
        )
    ) as candidate
    order by period_start desc, is_synthetic, is_measured desc
    limit 1
) as demand on true
left join lateral (
    select candidate.*
    from (
        {%- for market in ['n2ex_day_ahead', 'apx_market_index', 'system_price'] %}
        (
            select market, period_start, period_end, price_gbp_mwh, is_synthetic, {{ loop.index }} as preference
            from {{ ref('wholesale_prices') }}
            where market = '{{ market }}' and period_start <= instant.as_of and price_gbp_mwh is not null
            order by period_start desc
            limit 1
        )
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as candidate
    order by candidate.period_start desc, candidate.is_synthetic, candidate.preference
    limit 1
) as price on true
left join lateral (
    select case when intensity.is_synthetic then
        {{ newest_real(
            'carbon_intensity_national', 'coalesce(newest.actual_gco2_kwh, newest.forecast_gco2_kwh) is not null'
        ) }}
    else intensity.period_end end as period_end
) as intensity_real on true
left join lateral (
    select case when mix.is_synthetic then
        {{ newest_real('generation_mix_national', 'newest.renewable_pct is not null') }}
    else mix.period_end end as period_end
) as mix_real on true
left join lateral (
    select case when demand.is_synthetic then greatest(
        {{ newest_real('demand_actual_national', 'true') }},
        {{ newest_real('demand_forecast_national', 'true') }}
    ) else demand.period_end end as period_end
) as demand_real on true
left join lateral (
    select case when price.is_synthetic then greatest(
        {%- for market in ['n2ex_day_ahead', 'apx_market_index', 'system_price'] %}
        {{ newest_real('wholesale_prices', "newest.market = '" ~ market ~ "' and newest.price_gbp_mwh is not null") }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    ) else price.period_end end as period_end
) as price_real on true
