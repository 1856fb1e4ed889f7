{#- How long ago the newest real half-hour of a part of `national_grid_status` ended; zero while it lasts, null without one. -#}
{% macro age(part) -%}
    case when {{ part }}_real.period_end is not null then greatest(instant.as_of - {{ part }}_real.period_end, interval '0') end
        as {{ part }}_age
{%- endmacro %}

{#- How long ago the half-hour of a part ended, if it is synthetic; null if it is real. -#}
{% macro synthetic_age(part) -%}
    case when {{ part }}.is_synthetic then greatest(instant.as_of - {{ part }}.period_end, interval '0') end
        as {{ part }}_synthetic_age
{%- endmacro %}

{#- When the newest real half-hour of a table that has begun ended. -#}
{% macro newest_real(table, condition) -%}
    (
        select newest.period_end
        from {{ ref(table) }} as newest
        where not newest.is_synthetic and newest.period_start <= instant.as_of and {{ condition }}
        order by newest.period_start desc
        limit 1
    )
{%- endmacro %}
