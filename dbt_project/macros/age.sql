{#- How long ago the half-hour of a part of `national_grid_status` ended; zero while it lasts, null where there is none. -#}
{% macro age(part) -%}
    case when {{ part }}.period_end is not null then greatest(instant.as_of - {{ part }}.period_end, interval '0') end
        as {{ part }}_age
{%- endmacro %}
