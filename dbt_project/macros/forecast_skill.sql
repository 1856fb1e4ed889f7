{#- The tables that bring forecasts, or the outcomes that they are compared with. -#}
{% macro skill_tables() -%}
    {{ return(['int_carbon_intensity__captures', 'int_demand_forecasts__captures', 'demand_actual_national']) }}
{%- endmacro %}


{#- No upstream issues a forecast for a day that is further away: its captures are not looked through. -#}
{% macro most_days_ahead() -%}
    16
{%- endmacro %}


{#- Whether a capture, by when it was known, may hold forecasts of a day: a real one that could reach it. -#}
{% macro may_cover(day) -%}
    known_at < {{ day }}.ends_at and known_at > {{ day }}.starts_at - interval '{{ most_days_ahead() }} days' and not is_synthetic
{%- endmacro %}


{#- Whole half-hours from one instant to a later one. -#}
{% macro half_hours_between(first, last) -%}
    (date_part('epoch', {{ last }} - {{ first }}) / 1800)::integer
{%- endmacro %}
