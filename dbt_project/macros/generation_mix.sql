{#- The nine fuels of the GB generation mix, in the order of the clean tables. -#}
{% macro fuels() -%}
    {{ return(['biomass', 'coal', 'gas', 'hydro', 'imports', 'nuclear', 'other', 'solar', 'wind']) }}
{%- endmacro %}


{% macro mix_columns(prefix='') -%}
    {%- for fuel in fuels() -%}{{ prefix }}{{ fuel }}_pct, {% endfor -%}
    {{ prefix }}renewable_pct, {{ prefix }}low_carbon_pct
{%- endmacro %}


{#- The generationmix array of a payload as one row: a numeric column a fuel, whatever their order. -#}
{% macro unpacked_mix(generationmix) -%}
    (
        select
            {%- for fuel in fuels() %}
            max(perc) filter (where fuel = '{{ fuel }}') as {{ fuel }}{{ ',' if not loop.last }}
            {%- endfor %}
        from jsonb_to_recordset({{ generationmix }}) as share (fuel text, perc numeric)
    )
{%- endmacro %}


{% macro mix_total(prefix='') -%}
    ({%- for fuel in fuels() -%}{{ prefix }}{{ fuel }}{{ ' + ' if not loop.last }}{%- endfor -%})
{%- endmacro %}


{#- Whether a mix is one: shares of 0..100 that add up to 100, give or take what rounding nine shares can do. -#}
{% macro is_mix(prefix='') -%}
    ({{ mix_total(prefix) }} between 98 and 102
    {%- for fuel in fuels() %} and {{ prefix }}{{ fuel }} between 0 and 100{% endfor %})
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


{#- gCO2/kWh that a mix emits at the least, by the upstream's published factors; imports count nothing. -#}
{% macro mix_emissions(prefix='') -%}
    ((120 * {{ prefix }}biomass + 937 * {{ prefix }}coal + 394 * {{ prefix }}gas + 300 * {{ prefix }}other) / 100)
{%- endmacro %}
