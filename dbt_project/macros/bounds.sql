{#-
What is physically impossible becomes NULL and is named in `fault`; it stays in the payload. The bounds are in `vars` of
dbt_project.yml: no other file has the numbers.
-#}

{#- The value if it is within the bound, else NULL. -#}
{% macro within(value, bound) -%}
    case when {{ is_within(value, bound) }} then {{ value }} end
{%- endmacro %}


{% macro is_within(value, bound) -%}
    {%- set limits = var('bounds')[bound] -%}
    {{ value }} between {{ limits.least }} and {{ limits.most }}
{%- endmacro %}


{#- The column `fault`: why a value of the row is NULL that the upstream gave. Branches of a CASE; the first that holds counts. -#}
{% macro fault() -%}
    case
    {%- for branch in varargs %}
        {{ branch }}
    {%- endfor %}
    end as fault
{%- endmacro %}


{#- A branch of `fault`: the value is beyond its bound. -#}
{% macro outside(what, value, bound) -%}
    {%- set limits = var('bounds')[bound] -%}
    {%- set unit = ' ' ~ limits.unit if limits.unit else '' -%}
    when not {{ is_within(value, bound) }} then '{{ what }} {% if limits.least == -limits.most -%}
        beyond {{ limits.most ~ unit }}
    {%- else -%}
        outside {{ limits.least ~ '..' ~ limits.most ~ unit }}
    {%- endif %}'
{%- endmacro %}
