{#- Nothing is requested further than two days ahead, so older captures do not hold coming half-hours. -#}
{% macro captured_by(known_by) -%}
    capture.known_at <= {{ known_by }} and capture.known_at > {{ known_by }} - interval '3 days'
{%- endmacro %}


{#-
A lateral subquery with at most one row: the forecast of a half-hour of a region as it was known at an instant: the last real one that
was fetched here, else the last that someone else captured, else a synthetic one. Looks into the newest capture that holds it: a few index
probes. Arguments are SQL.
-#}
{% macro newest_capture(captures, region_id, period_start, known_by) -%}
    {%- for rank, which in [
        ('1', 'not capture.is_synthetic and capture.is_archive is not true'), ('2', 'not capture.is_synthetic and capture.is_archive'),
        ('3', 'capture.is_synthetic')
    ] %}
    (
        select
            capture.forecasts_gco2_kwh[place.position] as forecast_gco2_kwh,
            capture.are_isolated[place.position] as is_isolated,
            capture.known_at,
            capture.is_synthetic,
            {{ rank }} as rank
        from {{ captures }} as capture
        cross join lateral (
            select 1 + (extract(epoch from {{ period_start }} - capture.first_period_start) / 1800)::integer as position
        ) as place
        where capture.region_id = {{ region_id }} and {{ which }}
            and {{ captured_by(known_by) }}
            and capture.forecasts_gco2_kwh[place.position] is not null
        order by capture.known_at desc
        limit 1
    )
    {{- ' union all' if not loop.last }}
    {%- endfor %}
    order by rank
    limit 1
{%- endmacro %}


{#-
How long before a response another must have been received to confirm a value of it: the upstream writes its forecasts anew every half-hour,
and one that has not been written anew confirms itself.
-#}
{% macro confirmed_after() -%}
    interval '25 minutes'
{%- endmacro %}


{#-
A scalar subquery: the forecast of the half-hour of a row as it was known before the row was fetched, or NULL. `row` is an alias; the row has
`period_start`, `fetched_at` and `is_synthetic`.
-#}
{% macro captured_before(captures, region_id, row) -%}
    (
        select capture.forecasts_gco2_kwh[
            1 + (extract(epoch from {{ row }}.period_start - capture.first_period_start) / 1800)::integer
        ]
        from {{ captures }} as capture
        where capture.region_id = {{ region_id }} and capture.is_synthetic = {{ row }}.is_synthetic
            and {{ captured_by(row ~ '.fetched_at - ' ~ confirmed_after()) }}
            and capture.forecasts_gco2_kwh[
                1 + (extract(epoch from {{ row }}.period_start - capture.first_period_start) / 1800)::integer
            ] is not null
        order by capture.known_at desc
        limit 1
    )
{%- endmacro %}


{#-
Whether a row may be a forecast, which had not ended when it was fetched, or one of the two half-hours before that it is compared with.
Of a response for past days nothing is.
-#}
{% macro is_beside_a_forecast() -%}
    period_start + interval '90 minutes' > fetched_at
{%- endmacro %}
