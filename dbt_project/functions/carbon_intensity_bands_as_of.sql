{%- set captures = ref('carbon_intensity_captures').include(database=false) -%}
{%- set known_at = 'carbon_intensity_bands_as_of.known_at' -%}
-- placement/replay/errors.py has the same arithmetic over arrays. One capture in three hours: the next is nearly the same.
with captures as (
    select distinct on (capture.region_id, date_bin('3 hours', capture.known_at, '2000-01-01 00:00Z'))
        capture.region_id, capture.known_at, capture.first_period_start, capture.forecasts_gco2_kwh, capture.are_isolated
    from {{ captures }} as capture
    where not capture.is_synthetic and capture.region_id not between 15 and 17
        and capture.known_at > {{ known_at }} - interval '{{ bands_history_days() }} days' and capture.known_at <= {{ known_at }}
    order by capture.region_id, date_bin('3 hours', capture.known_at, '2000-01-01 00:00Z'), capture.known_at
),

-- what came, as far as it was known by then: a value that was fetched later is none, whatever it says
outcomes as (
    select 18::smallint as region_id, national.period_start, national.actual_gco2_kwh as outcome
    from {{ ref('carbon_intensity_national').include(database=false) }} as national
    where not national.is_synthetic and national.is_isolated is not true and national.actual_gco2_kwh is not null
        and national.fetched_at <= {{ known_at }}
        and national.period_start > {{ known_at }} - interval '{{ bands_history_days() + 1 }} days'
        and national.period_start <= {{ known_at }} - interval '90 minutes'
    union all
    select regional.region_id, regional.period_start, regional.forecast_gco2_kwh
    from {{ ref('carbon_intensity_regional').include(database=false) }} as regional
    where not regional.is_synthetic and regional.is_isolated is not true and regional.forecast_gco2_kwh is not null
        and regional.region_id < 15 and regional.fetched_at >= regional.period_end
        and regional.fetched_at <= {{ known_at }}
        and regional.period_start > {{ known_at }} - interval '{{ bands_history_days() + 1 }} days'
        and regional.period_start <= {{ known_at }} - interval '90 minutes'
),

errors as (
    select
        captures.region_id,
        {{ lead_class('starts.period_start', 'captures.known_at') }} as lead_from_hours,
        (captures.known_at at time zone 'UTC')::date as known_on,
        value.forecast::double precision as forecast,
        (value.forecast - outcomes.outcome)::double precision as error
    from captures
    cross join lateral
        unnest(captures.forecasts_gco2_kwh, captures.are_isolated) with ordinality as value (forecast, is_isolated, position)
    cross join lateral (
        select captures.first_period_start + (value.position - 1) * interval '30 minutes' as period_start
    ) as starts
    inner join outcomes on captures.region_id = outcomes.region_id and starts.period_start = outcomes.period_start
    where value.forecast is not null and value.is_isolated is not true
),

lines as (
    select
        region_id, lead_from_hours, count(distinct known_on) as days, count(*) as errors, avg(forecast) as centre,
        coalesce(regr_slope(error, forecast), 0) as slope
    from errors
    group by region_id, lead_from_hours
),

-- the slope of all regions leans towards none, that of a region towards theirs
leaning as (
    select
        region_id, lead_from_hours, days, errors, centre,
        (days * slope + {{ bands_shrunk_days() }} * (
            avg(slope) over of_lead * max(days) over of_lead / (max(days) over of_lead + {{ bands_shrunk_days() }})
        )) / (days + {{ bands_shrunk_days() }}) as slope
    from lines
    window of_lead as (partition by lead_from_hours)
),

rest as (
    select
        errors.region_id, errors.lead_from_hours,
        errors.error - leaning.slope * (errors.forecast - leaning.centre) as error
    from errors
    inner join leaning on errors.region_id = leaning.region_id and errors.lead_from_hours = leaning.lead_from_hours
),

own as (
    select region_id, lead_from_hours, percentile_cont(array[0.1, 0.5, 0.9]) within group (order by error) as quantiles
    from rest
    group by region_id, lead_from_hours
),

every as (
    select lead_from_hours, percentile_cont(array[0.1, 0.5, 0.9]) within group (order by error) as quantiles
    from rest
    group by lead_from_hours
)

select
    leaning.region_id,
    leaning.lead_from_hours,
    leaning.days::integer,
    leaning.errors::integer,
    leaning.centre,
    leaning.slope,
    {%- for name in ('error_p10', 'error_p50', 'error_p90') %}
    (leaning.days * own.quantiles[{{ loop.index }}] + {{ bands_shrunk_days() }} * every.quantiles[{{ loop.index }}])
    / (leaning.days + {{ bands_shrunk_days() }}){{ ',' if not loop.last }}
    {%- endfor %}
from leaning
inner join own on leaning.region_id = own.region_id and leaning.lead_from_hours = own.lead_from_hours
inner join every on leaning.lead_from_hours = every.lead_from_hours
where leaning.days >= {{ bands_least_days() }}
