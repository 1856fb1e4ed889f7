{#-
Points and polygons with PostgreSQL's own geometric types; GeoJSON is longitude before latitude.
-#}

{#- A GeoJSON ring as a polygon. -#}
{% macro ring_polygon(ring) -%}
    (
        select ('(' || string_agg(format('(%s,%s)', vertex ->> 0, vertex ->> 1), ',' order by position) || ')')::polygon
        from jsonb_array_elements({{ ring }}) with ordinality as point (vertex, position)
    )
{%- endmacro %}


{#-
A row with the centre of gravity of a GeoJSON Polygon (what a hole lacks pulls the other way) or the place of a Point. A polygon without
an area has the mean of its vertices.
-#}
{% macro geometry_centre(geometry) -%}
    (
        select
            case
                when {{ geometry }} ->> 'type' = 'Point'
                    then point(({{ geometry }} #>> '{coordinates,0}')::float8, ({{ geometry }} #>> '{coordinates,1}')::float8)
                when sum(ring.area) > 0 then point(sum(ring.moment_x) / sum(ring.area), sum(ring.moment_y) / sum(ring.area))
                else point(avg(ring.mean_x), avg(ring.mean_y))
            end as centre
        from (
            select
                sign_of.sign * abs(sum(side.cross_product)) / 2 as area,
                sign_of.sign * sign(sum(side.cross_product)) * sum((side.x + side.next_x) * side.cross_product) / 6 as moment_x,
                sign_of.sign * sign(sum(side.cross_product)) * sum((side.y + side.next_y) * side.cross_product) / 6 as moment_y,
                avg(side.x) as mean_x,
                avg(side.y) as mean_y
            from jsonb_array_elements(
                case when {{ geometry }} ->> 'type' = 'Polygon' then {{ geometry }} -> 'coordinates' else '[[]]' end
            ) with ordinality as each_ring (vertices, number)
            cross join lateral (select case when each_ring.number = 1 then 1 else -1 end as sign) as sign_of
            left join lateral (
                select
                    corner.x, corner.y, corner.next_x, corner.next_y,
                    corner.x * corner.next_y - corner.next_x * corner.y as cross_product
                from (
                    select
                        (vertex ->> 0)::float8 as x,
                        (vertex ->> 1)::float8 as y,
                        lead((vertex ->> 0)::float8) over (order by position) as next_x,
                        lead((vertex ->> 1)::float8) over (order by position) as next_y
                    from jsonb_array_elements(each_ring.vertices) with ordinality as point (vertex, position)
                ) as corner
                where corner.next_x is not null
            ) as side on true
            group by each_ring.number, sign_of.sign
        ) as ring
    )
{%- endmacro %}
