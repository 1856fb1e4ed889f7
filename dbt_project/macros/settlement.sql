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


{#- The settlement period, 1 to 46, 48 or 50, that begins at a half-hour: elapsed half-hours since local midnight. -#}
{% macro settlement_period(instant) -%}
    (extract(epoch from ({{ instant }}) - {{ settlement_day_start(settlement_date(instant)) }}) / 1800 + 1)::smallint
{%- endmacro %}


{#- The half-hour of a settlement day and period: the other way round. -#}
{% macro settlement_period_start(day, period) -%}
    ({{ settlement_day_start(day) }} + (({{ period }}) - 1) * interval '30 minutes')
{%- endmacro %}
