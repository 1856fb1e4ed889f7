{#- The nine fuels of the GB generation mix, in the order of the clean tables. -#}
{% macro fuels() -%}
    {{ return(['biomass', 'coal', 'gas', 'hydro', 'imports', 'nuclear', 'other', 'solar', 'wind']) }}
{%- endmacro %}


{% macro mix_columns(prefix='') -%}
    {%- for fuel in fuels() -%}{{ prefix }}{{ fuel }}_pct, {% endfor -%}
    {{ prefix }}renewable_pct, {{ prefix }}low_carbon_pct
{%- endmacro %}


{#-
The generationmix array of a payload as one row: a numeric column a fuel, whatever their order; whether it is a mix
(shares of 0..100 that add up to 100, give or take what rounding nine shares can do); and the gCO2/kWh that it emits at
the least, by the upstream's published factors (imports count nothing).
-#}
{% macro unpacked_mix(generationmix) -%}
    (
        select
            share.*,
            {% for fuel in fuels() %}{{ fuel }}{{ ' + ' if not loop.last }}{% endfor %} between 98 and 102
            and least({{ fuels() | join(', ') }}) >= 0 as is_mix,
            (120 * biomass + 937 * coal + 394 * gas + 300 * other) / 100 as mix_gco2_kwh
        from (
            select
                {%- for fuel in fuels() %}
                max(perc) filter (where fuel = '{{ fuel }}') as {{ fuel }}{{ ',' if not loop.last }}
                {%- endfor %}
            from jsonb_to_recordset({{ generationmix }}) as fuel_share (fuel text, perc numeric)
        ) as share
    )
{%- endmacro %}


{#- The columns of a clean mix; NULL, all of them, where the condition does not hold. -#}
{% macro measured_mix(condition, prefix='') -%}
    {%- for fuel in fuels() %}
    (case when {{ condition }} then {{ prefix }}{{ fuel }} end)::numeric(4, 1) as {{ fuel }}_pct,
    {%- endfor %}
    (case when {{ condition }} then {{ prefix }}hydro + {{ prefix }}solar + {{ prefix }}wind end)::numeric(4, 1)
        as renewable_pct,
    (case when {{ condition }} then
        {{ prefix }}hydro + {{ prefix }}solar + {{ prefix }}wind + {{ prefix }}nuclear + {{ prefix }}biomass
    end)::numeric(4, 1) as low_carbon_pct
{%- endmacro %}
