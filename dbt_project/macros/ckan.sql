{#-
Columns of a CKAN datastore. Whether a value came as a number or as text depends on the type of its column there, which differs
from file to file; `->>` makes both text, and what is no number ("NA", blanks) is NULL.
-#}
{% macro ckan_number(column) -%}
    case
        when record ->> '{{ column }}' ~ '^[ \t\r\n]*-?[0-9]+([.][0-9]+)?[ \t\r\n]*$'
            then (record ->> '{{ column }}')::numeric
    end
{%- endmacro %}


{#- 2001-01-01, 2001-01-01T00:00:00, 20010101, 01-JAN-2001, 01-Jan-01 and 01/01/2001: the files have had all of them. -#}
{% macro ckan_date(column) -%}
    case
        when record ->> '{{ column }}' ~ '^ *[0-9]{4}-[0-9]{2}-[0-9]{2}' then left(trim(record ->> '{{ column }}'), 10)::date
        when record ->> '{{ column }}' ~ '^ *[0-9]{8} *$' then to_date(trim(record ->> '{{ column }}'), 'YYYYMMDD')
        when record ->> '{{ column }}' ~ '^ *[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4} *$'
            then to_date(trim(record ->> '{{ column }}'), 'DD-Mon-YYYY')
        when record ->> '{{ column }}' ~ '^ *[0-9]{1,2}-[A-Za-z]{3}-[0-9]{2} *$'
            then to_date(trim(record ->> '{{ column }}'), 'DD-Mon-YY')
        when record ->> '{{ column }}' ~ '^ *[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} *$'
            then to_date(trim(record ->> '{{ column }}'), 'DD/MM/YYYY')
    end
{%- endmacro %}


{#- A timestamp without a zone is UTC on this portal; what is no timestamp is NULL. -#}
{% macro ckan_instant(column) -%}
    {{ utc_instant("record ->> '" ~ column ~ "'") }}
{%- endmacro %}


{#- When the file was last changed, also of one that was being loaded anew and came with some of its rows. -#}
{% macro file_instant() -%}
    {{ utc_instant("coalesce(payload.request_params ->> 'version', payload.request_params ->> 'unfinished_version')") }}
{%- endmacro %}


{% macro utc_instant(text) -%}
    case
        when {{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}[0-9:.]*(Z|[+-][0-9]{2}:[0-9]{2})$'
            then ({{ text }})::timestamptz
        when {{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}[0-9:.]*$' then ({{ text }} || 'Z')::timestamptz
    end
{%- endmacro %}


{#- The columns that Historic Demand Data and Demand Data Update share, as the file has them. -#}
{% macro ckan_demand() -%}
    demand.settlement_date,
    demand.settlement_period,
    {{ settlement_period_start('demand.settlement_date', 'demand.settlement_period') }} as period_start,
    demand.nd,
    demand.tsd,
    demand.england_wales_demand,
    demand.embedded_wind_generation,
    demand.embedded_solar_generation
{%- endmacro %}


{% macro ckan_demand_row() -%}
    left join lateral (
        select
            {{ ckan_date('SETTLEMENT_DATE') }} as settlement_date,
            ({{ ckan_number('SETTLEMENT_PERIOD') }})::smallint as settlement_period,
            {{ ckan_number('ND') }} as nd,
            {{ ckan_number('TSD') }} as tsd,
            {{ ckan_number('ENGLAND_WALES_DEMAND') }} as england_wales_demand,
            {{ ckan_number('EMBEDDED_WIND_GENERATION') }} as embedded_wind_generation,
            {{ ckan_number('EMBEDDED_SOLAR_GENERATION') }} as embedded_solar_generation
        from (values (1)) as once (n)
        offset 0
    ) as demand on true
{%- endmacro %}
