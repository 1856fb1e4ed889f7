{#- The upstream's index of an intensity, by the bands of the half-hour's own year (theirs follow the request's end). -#}
{% macro intensity_index(intensity, bands) -%}
    case
        when {{ intensity }} < {{ bands }}.low_from then 'very low'
        when {{ intensity }} < {{ bands }}.moderate_from then 'low'
        when {{ intensity }} < {{ bands }}.high_from then 'moderate'
        when {{ intensity }} < {{ bands }}.very_high_from then 'high'
        when {{ intensity }} >= {{ bands }}.very_high_from then 'very high'
    end
{%- endmacro %}


{% macro join_intensity_bands(period_start) -%}
    left join {{ ref('seed_intensity_bands') }} as bands
        on bands.year = least(2030, greatest(2017, date_part('year', {{ period_start }} at time zone 'UTC')::integer))
{%- endmacro %}
