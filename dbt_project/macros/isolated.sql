{#-
gCO2/kWh by which a value stands apart from both half-hours beside it if it is not to be relied upon. Real steps are smaller, or last:
docs/decisions/isolated_values.md counts the half-hours of the recorded years that the rule touches.
-#}
{% macro isolated_by_gco2_kwh() -%}
    50
{%- endmacro %}


{#-
The rows of `relation` with `is_isolated`: whether `value` belongs to a run of one or two half-hours that lies below, or above, both
half-hours beside it by the bound. Only neighbours of the same `partition` (column names) and next to it in time count; beside a gap,
a NULL or the end of the rows nothing is isolated.
-#}
{% macro with_isolated(relation, value, partition) -%}
    (
        select
            beside.*,
            coalesce(
                {{ stands_apart('value', 'value', 'before', 'after') }}
                or (value is not null and after is not null
                    and {{ stands_apart('least(value, after)', 'greatest(value, after)', 'before', 'second_after') }})
                or (value is not null and before is not null
                    and {{ stands_apart('least(before, value)', 'greatest(before, value)', 'second_before', 'after') }}),
                false
            ) as is_isolated
        from (
            select
                rowset.*,
                {{ value }} as value
                {%- for name, places, side in [
                    ('before', 1, 'preceding'), ('second_before', 2, 'preceding'),
                    ('after', 1, 'following'), ('second_after', 2, 'following')
                ] %},
                {#- by time, not by row: a half-hour that came twice is no neighbour of its own #}
                max({{ value }}) over (
                    partition by {{ partition | join(', ') }}
                    order by period_start
                    range between interval '{{ 30 * places }} minutes' {{ side }}
                    and interval '{{ 30 * places }} minutes' {{ side }}
                ) as {{ name }}
                {%- endfor %}
            from {{ relation }} as rowset
        ) as beside
    )
{%- endmacro %}


{% macro stands_apart(lowest, highest, before, after) -%}
    ((least({{ before }}, {{ after }}) - {{ highest }} >= {{ isolated_by_gco2_kwh() }}
        or {{ lowest }} - greatest({{ before }}, {{ after }}) >= {{ isolated_by_gco2_kwh() }})
    and {{ before }} is not null and {{ after }} is not null)
{%- endmacro %}
