{%- set captures = ref('carbon_intensity_captures').include(database=false) -%}
select
    region.region_id,
    spine.period_start,
    case when newest.is_isolated is not true then newest.forecast_gco2_kwh end as forecast_gco2_kwh,
    newest.known_at,
    newest.is_synthetic
from generate_series(
    date_bin('30 minutes', carbon_intensity_ahead.starts_from + interval '29 minutes 59.999999 seconds', '2000-01-01 00:00Z'),
    carbon_intensity_ahead.starts_before - interval '1 microsecond',
    interval '30 minutes'
) as spine (period_start)
cross join unnest(
    coalesce(carbon_intensity_ahead.region_ids, array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]::smallint[])
) as region (region_id)
cross join lateral (
    {{ newest_capture(captures, 'region.region_id', 'spine.period_start', 'spine.period_start - carbon_intensity_ahead.ahead') }}
) as newest
