{#- What bands are learned from, and how far a region leans on all the others. placement/replay/errors.py has the same figures. -#}
{% macro bands_history_days() -%}{{ return(60) }}{%- endmacro %}
{% macro bands_least_days() -%}{{ return(7) }}{%- endmacro %}
{% macro bands_shrunk_days() -%}{{ return(7) }}{%- endmacro %}


{#- The class of the lead time of a half-hour that was known at an instant: the hours at which the class begins. -#}
{% macro lead_class(period_start, known_at) -%}
    {%- set hours = '0, 1, 2, 3, 4, 6, 9, 12, 18, 24, 30, 36, 42' -%}
    (array[{{ hours }}]::smallint[])[width_bucket(
        greatest(extract(epoch from {{ period_start }} - date_bin('30 minutes', {{ known_at }}, '2000-01-01 00:00Z')) / 3600, 0)::numeric,
        array[{{ hours }}]::numeric[]
    )]
{%- endmacro %}


{#- A forecast less the error that is to be expected at this quantile of it, as a smallint; null without a band. -#}
{% macro less_error(forecast, band, quantile) -%}
    {#- least() and greatest() take a null for nothing #}
    case when {{ band }}.slope is not null and {{ forecast }} is not null then least(greatest(round(
        {{ forecast }} - {{ band }}.slope * ({{ forecast }} - {{ band }}.centre_gco2_kwh) - {{ band }}.error_{{ quantile }}_gco2_kwh
    ), 0), {{ var('bounds').intensity_gco2_kwh.most }})::smallint end
{%- endmacro %}
