{#-
Demand that was measured, of a relation with the columns of NESO's files. A national demand of 0 is a placeholder, never a
measurement: rows of a forecast and of the last half-hours have it; the transmission demand beside it is a constant. A
transmission demand of 0 is "not there". It is national demand with what power stations use and what is pumped and exported on top, so that
it is never less (17 rows of NESO's file of 2018 are); and England and Wales never have more than all nor nothing (3 rows of that file).
Embedded solar is NULL where it is more than the sun can give.
-#}
{% macro measured_demand(relation) -%}
    select
        {{ provenance(relation) }},
        period_start,
        settlement_date,
        settlement_period,
        ({{ within('nd', 'demand_mw') }})::integer as national_demand_mw,
        (case when {{ is_within('nd', 'demand_mw') }} and tsd >= nd then {{ within('tsd', 'demand_mw') }} end)::integer
            as transmission_system_demand_mw,
        (case when {{ is_within('nd', 'demand_mw') }} and england_wales_demand between 1 and nd
            then england_wales_demand end)::integer as england_wales_demand_mw,
        ({{ within('embedded_wind_generation', 'power_mw') }})::integer as embedded_wind_mw,
        (case when not is_sunless then {{ within('embedded_solar_generation', 'installed_solar_mw') }} end)::integer
            as embedded_solar_mw,
        is_forecast,
        {{ issued('published_at') }} as issued_at,
        {{ fault(
            outside('demand', 'nd', 'power_mw'),
            "when nd = 0 and not is_forecast then 'placeholder: an actual demand of 0'",
            outside('transmission demand', 'tsd', 'power_mw'),
            "when nd > 0 and tsd > 0 and tsd < nd and not is_forecast then 'transmission demand below national demand'",
            "when nd > 0 and not is_forecast and england_wales_demand not between 1 and nd "
            ~ "then 'demand of England and Wales outside 1 MW..national demand'",
            outside('embedded wind', 'embedded_wind_generation', 'power_mw'),
            outside('embedded solar', 'embedded_solar_generation', 'installed_solar_mw'),
            "when is_sunless then 'more solar than the sun can give'",
        ) }}
    from {{ relation }}
    cross join lateral {{ sunless_mw('embedded_solar_generation', 'period_start') }} as sun
{%- endmacro %}


{#- Demand that is forecast. A forecast without an instant of issue was issued, at the latest, when we fetched it. -#}
{% macro forecast_demand(relation) -%}
    select
        {{ provenance(relation) }},
        period_start,
        coalesce({{ issued('issued_at') }}, fetched_at) as issued_at,
        round({{ within('national_demand', 'demand_mw') }})::integer as national_demand_mw,
        ({{ within('transmission_system_demand', 'demand_mw') }})::integer as transmission_system_demand_mw,
        {{ fault(outside('demand', 'national_demand', 'demand_mw')) }}
    from {{ relation }}
{%- endmacro %}


{#- The forecasts of national demand: each dataset with its kind of forecast. -#}
{% macro demand_forecasts() -%}
    {{ return({
        'neso__demand_forecast_2_14d': '2_to_14_days_ahead',
        'neso__demand_forecast_day_ahead': 'day_ahead',
        'neso__demand_forecast_cardinal': 'day_ahead_interpolated',
        'elexon__demand_forecast': 'day_ahead',
    }) }}
{%- endmacro %}
