{#-
gCO2/kWh by which a value differs sharply from both half-hours beside it if it is not to be relied upon. Real steps are smaller, or last:
docs/decisions/isolated_values.md counts the half-hours of the recorded years that the rule touches.
-#}
{% macro isolated_by_gco2_kwh() -%}
    50
{%- endmacro %}


{#-
The rows of `relation` with `is_isolated`: whether `value` belongs to a run of one or two half-hours that lies below, or above, both
half-hours beside it by the bound. Only neighbours of the same `partition` (column names) and next to it in time count.

Beside a gap, a NULL or the end of the rows there is one neighbour or none. There a half-hour that had not ended when it was fetched is
isolated if it differs as much from the neighbour that there is, unless `previous` (SQL over `beside`: the same half-hour as
it was known before) confirms it. Nothing rests on one that had ended, so it is not checked there.

`sent` is what the upstream gave, if `value` is NULL where that is impossible: it is compared all the same.
-#}
{% macro with_isolated(relation, value, partition, previous, sent=none) -%}
    {%- set runs = [
        ('sent', 'sent', 'before', 'after', 'true'),
        ('least(sent, after)', 'greatest(sent, after)', 'before', 'second_after', 'after is not null'),
        ('least(before, sent)', 'greatest(before, sent)', 'second_before', 'after', 'before is not null'),
    ] %}
    (
        select
            beside.*,
            case
                when value is null then false
                when {% for lowest, highest, left, right, exists in runs -%}
                    ({{ exists }} and {{ left }} is not null and {{ right }} is not null
                        and {{ stands_apart(lowest, highest, left, right) }}) {{- ' or ' if not loop.last }}
                {%- endfor %} then true
                when period_start + interval '30 minutes' > fetched_at and (
                    {%- for lowest, highest, left, right, exists in runs -%}
                    ({{ exists }} and ({{ left }} is null or {{ right }} is null)
                        and coalesce({{ stands_apart(lowest, highest, left, right) }}, true)) {{- ' or ' if not loop.last }}
                    {%- endfor %}
                ) then coalesce(abs({{ previous }} - sent) >= {{ isolated_by_gco2_kwh() }}, true)
                else false
            end as is_isolated
        from (
            select
                rowset.*,
                {{ value }} as value,
                {{ sent or value }} as sent
                {%- for name, places, side in [
                    ('before', 1, 'preceding'), ('second_before', 2, 'preceding'),
                    ('after', 1, 'following'), ('second_after', 2, 'following')
                ] %},
                {#- by time, not by row: a half-hour that came twice is no neighbour of its own #}
                max({{ sent or value }}) over (
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


{#- Whether a run lies beyond the values beside it by the bound; one that is NULL does not count, and NULL if both are. -#}
{% macro stands_apart(lowest, highest, left, right) -%}
    (least({{ left }}, {{ right }}) - {{ highest }} >= {{ isolated_by_gco2_kwh() }}
        or {{ lowest }} - greatest({{ left }}, {{ right }}) >= {{ isolated_by_gco2_kwh() }})
{%- endmacro %}
