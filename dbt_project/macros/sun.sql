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
{% macro is_beyond_the_sun(solar, from_instant, to_instant, most=70) -%}
    {{ solar }} > least({{ most }}, 5 + 150 * greatest(
        0, {{ sine_of_the_sun(from_instant) }}, {{ sine_of_the_sun(to_instant) }}
    ))
{%- endmacro %}
