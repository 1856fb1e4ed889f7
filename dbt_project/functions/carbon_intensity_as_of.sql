{#- A function is kept as text: without the name of the database it also works in a copy under another name. -#}
{%- set captures = ref('carbon_intensity_captures').include(database=false) -%}
{%- set known_by = 'carbon_intensity_as_of.known_at' -%}
-- Each half-hour is looked up in the newest capture that holds it: a few index probes instead of a sort of three days of captures.
with reach as (
    select
        capture.region_id,
        max(capture.first_period_start + cardinality(capture.forecasts_gco2_kwh) * interval '30 minutes') as ends_at
    from {{ captures }} as capture
    where {{ captured_by(known_by) }}
        and (carbon_intensity_as_of.region_id is null or capture.region_id = carbon_intensity_as_of.region_id)
    group by capture.region_id
)

select
    reach.region_id,
    spine.period_start,
    case when newest.is_isolated is not true then newest.forecast_gco2_kwh end as forecast_gco2_kwh,
    newest.known_at,
    newest.is_synthetic
from reach
cross join lateral generate_series(
    date_bin('30 minutes', carbon_intensity_as_of.known_at, '2000-01-01 00:00Z'),
    reach.ends_at - interval '30 minutes',
    interval '30 minutes'
) as spine (period_start)
cross join lateral (
    {{ newest_capture(captures, 'reach.region_id', 'spine.period_start', known_by) }}
) as newest
order by reach.region_id, spine.period_start
