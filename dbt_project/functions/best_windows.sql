with asked as (
    select
        ceil(extract(epoch from best_windows.duration) / 1800)::integer as half_hours,
        -- how much of its last half-hour a window uses
        1 - (ceil(extract(epoch from best_windows.duration) / 1800) - extract(epoch from best_windows.duration) / 1800)
        as last_part,
        coalesce((best_windows.weights ->> 'carbon')::numeric, 0) as carbon_weight,
        coalesce((best_windows.weights ->> 'price')::numeric, 0) as price_weight
    where best_windows.duration > interval '0'
),

half_hour as (
    select
        intensity.region_id,
        intensity.period_start,
        -- a value that differs sharply from those beside it is no ground for a decision
        case when intensity.is_isolated is not true then intensity.forecast_gco2_kwh end as forecast_gco2_kwh,
        price.price_gbp_mwh,
        (intensity.is_synthetic or coalesce(price.is_synthetic, false))::integer as is_synthetic
    from {{ ref('carbon_intensity_regional').include(database=false) }} as intensity
    left join {{ ref('wholesale_prices').include(database=false) }} as price
        on price.market = 'n2ex_day_ahead' and intensity.period_start = price.period_start
        -- said again of the price, or every price ever kept is read
        and price.period_start > best_windows.earliest - interval '30 minutes' and price.period_start < best_windows.deadline
    -- from the half-hour that holds `earliest`: a run may begin at once, in the middle of it
    where intensity.period_start > best_windows.earliest - interval '30 minutes'
        and intensity.period_start < best_windows.deadline
        and intensity.region_id between 1 and 14
        and (best_windows.region_ids is null or intensity.region_id = any(best_windows.region_ids))
),

on_the_half_hour as (
    select
        half_hour.region_id,
        half_hour.period_start as starts_at,
        -- a gap is nowhere contiguous, and a null is no value: both leave fewer values than half-hours
        count(half_hour.forecast_gco2_kwh) over frame as values_present,
        last_value(half_hour.period_start) over frame as last_start,
        sum(half_hour.forecast_gco2_kwh) over frame
        - (1 - asked.last_part) * last_value(half_hour.forecast_gco2_kwh) over frame as intensity_sum,
        case
            when count(half_hour.price_gbp_mwh) over frame = asked.half_hours
                then sum(half_hour.price_gbp_mwh) over frame
                    - (1 - asked.last_part) * last_value(half_hour.price_gbp_mwh) over frame
        end as price_sum,
        sum(half_hour.is_synthetic) over frame as synthetic,
        asked.half_hours,
        asked.half_hours - 1 + asked.last_part as length,
        asked.carbon_weight,
        asked.price_weight
    from half_hour
    cross join asked
    where half_hour.period_start >= best_windows.earliest
    window frame as (
        partition by half_hour.region_id
        order by half_hour.period_start
        rows between current row  -- noqa: PRS
        and (greatest(ceil(extract(epoch from best_windows.duration) / 1800)::integer, 1) - 1) following
    )
),

-- what of each half-hour a run uses that starts at `earliest` itself, in half-hours
used_at_once as (
    select
        half_hour.*,
        asked.carbon_weight,
        asked.price_weight,
        extract(epoch from best_windows.duration) / 1800 as length,
        extract(epoch from
            least(
                half_hour.period_start + interval '30 minutes',
                best_windows.earliest + make_interval(secs => extract(epoch from best_windows.duration)::double precision)
            ) - greatest(half_hour.period_start, best_windows.earliest)) / 1800 as part
    from half_hour
    cross join asked
    where extract(epoch from best_windows.earliest) % 1800 <> 0
        and half_hour.period_start
        < best_windows.earliest + make_interval(secs => extract(epoch from best_windows.duration)::double precision)
),

at_once as (
    select
        region_id,
        best_windows.earliest as starts_at,
        case when count(price_gbp_mwh) = count(*) then sum(price_gbp_mwh * part) end as price_sum,
        sum(forecast_gco2_kwh * part) as intensity_sum,
        sum(is_synthetic) as synthetic,
        count(*)::integer as half_hours,
        length,
        carbon_weight,
        price_weight
    from used_at_once
    group by region_id, length, carbon_weight, price_weight
    -- a half-hour that is missing or has no value leaves the parts short of the whole
    having round(sum(part) filter (where forecast_gco2_kwh is not null), 9) = round(length, 9)
),

possible as (
    select
        region_id, starts_at, intensity_sum, price_sum, synthetic, half_hours, length, carbon_weight, price_weight
    from on_the_half_hour
    where values_present = half_hours and last_start = starts_at + (half_hours - 1) * interval '30 minutes'
    union all
    select
        region_id, starts_at, intensity_sum, price_sum, synthetic, half_hours, length, carbon_weight, price_weight
    from at_once
),

scored as (
    select
        possible.region_id,
        possible.starts_at,
        -- in seconds: a day is 24 hours, whatever the clocks of the reader's time zone do
        possible.starts_at + make_interval(secs => extract(epoch from best_windows.duration)::double precision) as ends_at,
        round(possible.intensity_sum / possible.length, 9) as mean_gco2_kwh,
        round(possible.price_sum / possible.length, 9) as mean_price_gbp_mwh,
        -- nine decimals: what is equal is a tie, though a third of an hour is no exact number
        round(
            case when possible.carbon_weight = 0 then 0 else possible.carbon_weight * possible.intensity_sum / possible.length end
            + case when possible.price_weight = 0 then 0 else possible.price_weight * possible.price_sum / possible.length end,
            9
        ) as score,
        possible.synthetic::numeric / possible.half_hours as synthetic_share
    from possible
    where possible.starts_at + make_interval(secs => extract(epoch from best_windows.duration)::double precision)
        <= best_windows.deadline
)

select
    row_number() over (order by scored.score, scored.starts_at, scored.region_id)::integer as rank,
    scored.region_id,
    scored.starts_at,
    scored.ends_at,
    round(scored.mean_gco2_kwh, 3) as mean_gco2_kwh,
    round(scored.mean_price_gbp_mwh, 3) as mean_price_gbp_mwh,
    round(scored.score, 6) as score,
    round(scored.synthetic_share, 4) as synthetic_share
from scored
where scored.score is not null
order by scored.score, scored.starts_at, scored.region_id
