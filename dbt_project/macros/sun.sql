{#-
The sine of the sun's height at an instant where it stands highest over Great Britain: at one of the corners of the box that holds the
islands (49.9 to 60.9 degrees north, 8.2 west to 1.8 east). Spencer's series of 1971; good to a quarter of a degree.
-#}
{% macro sine_of_the_sun(instant) -%}
    (
        select max(
            sin(radians(place.latitude)) * sin(year.declination)
            + cos(radians(place.latitude)) * cos(year.declination)
            * cos(radians((year.minutes + 4 * place.longitude) / 4 - 180))
        )
        from (
            select
                0.006918 - 0.399912 * cos(angle) + 0.070257 * sin(angle) - 0.006758 * cos(2 * angle)
                + 0.000907 * sin(2 * angle) as declination,
                extract(hour from utc) * 60 + extract(minute from utc)
                + 229.18 * (
                    0.000075 + 0.001868 * cos(angle) - 0.032077 * sin(angle) - 0.014615 * cos(2 * angle)
                    - 0.040849 * sin(2 * angle)
                ) as minutes
            from (
                select
                    ({{ instant }}) at time zone 'UTC' as utc,
                    2 * pi() * (extract(doy from ({{ instant }}) at time zone 'UTC') - 1) / 365.25 as angle
            ) as day
        ) as year
        cross join (values (49.9, -8.2), (49.9, 1.8), (60.9, -8.2), (60.9, 1.8)) as place (latitude, longitude)
    )
{%- endmacro %}


{#-
Whether a share of solar, per cent, is more than the sun can give between two instants. By night nothing is generated; while the sun is
low, the share cannot exceed what the panels of the country receive. Of the 11,195 half-hours of 2026 that were recorded
none comes near: below 5 degrees at most 0.2 % (the bound is 18), below 10 degrees 2.5 % (31), at any height 47 % (70).
-#}
{% macro is_beyond_the_sun(solar, from_instant, to_instant, most=70, by_night=5) -%}
    {{ solar }} > {{ most_solar(from_instant, to_instant, most, by_night) }}
{%- endmacro %}


{#- The largest share of solar, per cent, that the sun can give between two instants; never below `by_night`. -#}
{% macro most_solar(from_instant, to_instant, most=70, by_night=5) -%}
    least({{ most }}, {{ by_night }} + 150 * greatest(
        0, {{ sine_of_the_sun(from_instant) }}, {{ sine_of_the_sun(to_instant) }}
    ))::numeric  {#- whose values no number of an upstream is out of range of #}
{%- endmacro %}


{#- One row with `is_sunless`. A share of `by_night` is below the bound at any hour. `offset 0`: computed once, not for every column. -#}
{% macro sunless(solar, from_instant, to_instant, most=70, by_night=5) -%}
    (
        select case
            when {{ solar }} > {{ by_night }}
                then {{ is_beyond_the_sun(solar, from_instant, to_instant, most, by_night) }} else false
        end as is_sunless
        from (values (1)) as once (n)
        offset 0
    )
{%- endmacro %}


{#-
The same of MW, as a share of what may be installed. Of the 29,645 half-hours with sun in NESO's files of 2018, 2023 and 2025 none comes
near: by night at most 22 MW (the bound is 400), below 3 degrees 263 (3,400), below 15 degrees 3,394 (18,400), at any height 14,044 (40,000).
-#}
{% macro sunless_mw(solar, from_instant) -%}
    {%- set share = '100.0 * ' ~ solar ~ ' / ' ~ var('bounds').installed_solar_mw.most -%}
    {{ sunless(share, from_instant, from_instant ~ " + interval '30 minutes'", most=100, by_night=1) }}
{%- endmacro %}
