{#- Settlement days are calendar days of Europe/London: 46, 48 or 50 half-hours. -#}
{% macro settlement_date(instant) -%}
    (({{ instant }}) at time zone 'Europe/London')::date
{%- endmacro %}


{#- The first instant of a settlement day. -#}
{% macro settlement_day_start(day) -%}
    (({{ day }})::date::timestamp at time zone 'Europe/London')
{%- endmacro %}


{#- How many half-hours a settlement day has. -#}
{% macro half_hours_expected(day) -%}
    (extract(epoch from {{ settlement_day_start('(' ~ day ~ ')::date + 1') }} - {{ settlement_day_start(day) }})
        / 1800)::integer
{%- endmacro %}
