{#- The nine fuels of the GB generation mix, in the order of the clean tables. -#}
{% macro fuels() -%}
    {{ return(['biomass', 'coal', 'gas', 'hydro', 'imports', 'nuclear', 'other', 'solar', 'wind']) }}
{%- endmacro %}


{% macro mix_columns(prefix='') -%}
    {%- for fuel in fuels() -%}{{ prefix }}{{ fuel }}_pct, {% endfor -%}
    {{ prefix }}renewable_pct, {{ prefix }}low_carbon_pct
{%- endmacro %}


{#-
The generationmix array of a payload as one row: one numeric column per fuel, whatever their order; whether it is a mix
(each share within its bound, rounded as they are kept, and all together 100 give or take what rounding nine shares can do); and the gCO2/kWh that it emits at
the least, by the upstream's published factors (imports count nothing).
-#}
{% macro unpacked_mix(generationmix) -%}
    (
        select
            {{ fuels() | join(', ') }},
            {{ is_within('total', 'mix_pct') }}
            and {{ is_within('lowest', 'share_pct') }}
            and {{ is_within('highest', 'share_pct') }} as is_mix,
            mix_gco2_kwh
        from (
            select
                share.*,
                {{ fuels() | join(' + ') }} as total,
                least({{ fuels() | join(', ') }}) as lowest,
                greatest({{ fuels() | join(', ') }}) as highest,
                (120 * biomass + 937 * coal + 394 * gas + 300 * other) / 100 as mix_gco2_kwh
            from (
                select
                    {%- for fuel in fuels() %}
                    round(max(perc) filter (where fuel = '{{ fuel }}'), 1) as {{ fuel }}{{ ',' if not loop.last }}
                    {%- endfor %}
                from jsonb_to_recordset({{ generationmix }}) as fuel_share (fuel text, perc numeric)
            ) as share
            offset 0
        ) as summed
    )
{%- endmacro %}


{#-
Whether an intensity is one that the mix beside it cannot have: 0 although the mix emits 5 g or more at the least, or, if the shares
add up, less than half of that and 50 g or more under it. docs/decisions/isolated_values.md counts the recorded rows that it touches.
-#}
{% macro contradicts_its_mix(intensity) -%}
    ({{ intensity }} = 0 and mix_gco2_kwh >= 5)
        -- a mix that is not whole contradicts nothing; only a zero needs it
        or coalesce(is_mix and {{ intensity }} < mix_gco2_kwh / 2 and mix_gco2_kwh - {{ intensity }} >= 50, false)
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
