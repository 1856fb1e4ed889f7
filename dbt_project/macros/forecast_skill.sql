{#- The datasets that bring forecasts, or the outcomes that they are compared with. -#}
{% macro skill_datasets() -%}
    {{ return([
        'carbon_intensity__national', 'carbon_intensity__regional',
        'neso__demand_history', 'neso__demand_update', 'elexon__demand_outturn',
        'neso__demand_forecast_2_14d', 'neso__demand_forecast_day_ahead', 'neso__demand_forecast_cardinal',
        'elexon__demand_forecast',
    ]) }}
{%- endmacro %}


{#- No upstream issues a forecast for a day that is further away: its captures are not looked through. -#}
{% macro most_days_ahead() -%}
    16
{%- endmacro %}


{#- Whole half-hours from one instant to a later one. -#}
{% macro half_hours_between(first, last) -%}
    (date_part('epoch', {{ last }} - {{ first }}) / 1800)::integer
{%- endmacro %}
