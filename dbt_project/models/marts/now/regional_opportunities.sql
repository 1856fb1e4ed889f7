{%- set hours = [1, 2, 4, 8] %}
with half_hour as (
    select
        intensity.region_id,
        intensity.period_start,
        -- a value that differs sharply from those beside it is no ground for a decision
        case when intensity.is_isolated is not true then intensity.forecast_gco2_kwh end as forecast_gco2_kwh,
        intensity.is_synthetic,
        intensity.fetched_at
    from {{ ref('carbon_intensity_regional') }} as intensity
    where intensity.region_id between 1 and 14
        and intensity.period_start > now() - interval '30 minutes' and intensity.period_start < now() + interval '48 hours'
),

possible as (
    -- a gap is nowhere contiguous, and a null is no value: a mean stands only over as many values as it has half-hours
    select
        half_hour.region_id,
        half_hour.period_start
        {%- for length in hours %},
        case
            when
                count(half_hour.forecast_gco2_kwh) over frame_{{ length }} = {{ 2 * length }}
                and last_value(half_hour.period_start) over frame_{{ length }}
                = half_hour.period_start + interval '{{ 30 * (2 * length - 1) }} minutes'
                then sum(half_hour.forecast_gco2_kwh) over frame_{{ length }}
        end as sum_{{ length }}h
        {%- endfor %}
    from half_hour
    where half_hour.period_start >= now()
    window
        {%- for length in hours %}
        frame_{{ length }} as (
            partition by half_hour.region_id
            order by half_hour.period_start
            rows between current row and {{ 2 * length - 1 }} following
        ){{ ',' if not loop.last }}
        {%- endfor %}
),

-- a run that starts at once, in the middle of a half-hour: the part that each half-hour has in it
at_once as (
    select
        region_id
        {%- for length in hours %},
        case
            when round(sum(part_{{ length }}h) filter (where forecast_gco2_kwh is not null), 9) = {{ 2 * length }}
                then sum(forecast_gco2_kwh * part_{{ length }}h) / {{ 2 * length }}
        end as mean_{{ length }}h
        {%- endfor %}
    from (
        select
            region_id,
            forecast_gco2_kwh
            {%- for length in hours %},
            greatest(extract(epoch from
                least(period_start + interval '30 minutes', now() + interval '{{ length }} hours')
                - greatest(period_start, now())) / 1800, 0) as part_{{ length }}h
            {%- endfor %}
        from half_hour
    ) as used
    group by region_id
),

later as (
    select
        region_id
        {%- for length in hours %},
        (array_agg(period_start order by sum_{{ length }}h, period_start) filter (where sum_{{ length }}h is not null))[1]
        as start_{{ length }}h,
        min(sum_{{ length }}h)::numeric / {{ 2 * length }} as mean_{{ length }}h
        {%- endfor %}
    from possible
    group by region_id
),

-- to wait is best only where it beats starting at once
best as (
    select
        at_once.region_id
        {%- for length in hours %},
        round(at_once.mean_{{ length }}h, 1) as now_{{ length }}h,
        case
            when coalesce(at_once.mean_{{ length }}h <= later.mean_{{ length }}h, later.mean_{{ length }}h is null)
                then case when at_once.mean_{{ length }}h is not null then now() end
            else later.start_{{ length }}h
        end as start_{{ length }}h,
        round(least(at_once.mean_{{ length }}h, later.mean_{{ length }}h), 1) as mean_{{ length }}h
        {%- endfor %}
    from at_once
    left join later on at_once.region_id = later.region_id
),

outlook as (
    select
        region_id,
        round(avg(is_synthetic::integer), 4) as synthetic_share,
        max(fetched_at) filter (where not is_synthetic) as real_fetched_at,
        max(fetched_at) filter (where is_synthetic) as synthetic_fetched_at
    from half_hour
    group by region_id
),

price as (
    select period_start, price_gbp_mwh
    from {{ ref('wholesale_prices') }}
    where market = 'n2ex_day_ahead' and period_start > now() - interval '30 minutes'
),

compute as (
    select region_id, sum(available_capacity_mw) as open_capacity_mw
    from {{ ref('latest_compute_windows') }}
    where not is_expired and (valid_from is null or valid_from <= now()) and region_id is not null
        and case
            when crosses_midnight
                then (now() at time zone 'UTC')::time >= starts_at_time or (now() at time zone 'UTC')::time < ends_at_time
            else (now() at time zone 'UTC')::time >= starts_at_time and (now() at time zone 'UTC')::time < ends_at_time
        end
    group by region_id
)

select
    region.region_id,
    region.name as region_name,
    current_half_hour.period_start as now_period_start,
    current_half_hour.forecast_gco2_kwh as now_gco2_kwh,
    current_half_hour.intensity_index as now_intensity_index,
    mix.renewable_pct as now_renewable_pct,
    price_now.price_gbp_mwh as now_price_gbp_mwh
    {%- for length in hours %},
    best.start_{{ length }}h as best_{{ length }}h_start,
    best.mean_{{ length }}h as best_{{ length }}h_gco2_kwh,
    best.now_{{ length }}h - best.mean_{{ length }}h as saving_{{ length }}h_gco2_kwh,
    round(100 * (best.now_{{ length }}h - best.mean_{{ length }}h) / nullif(best.now_{{ length }}h, 0), 1)
    as saving_{{ length }}h_pct,
    price_{{ length }}h.price_gbp_mwh as best_{{ length }}h_price_gbp_mwh
    {%- endfor %},
    coalesce(compute.open_capacity_mw, 0) as open_capacity_mw,
    case
        when best.mean_4h is not null then (rank() over (order by best.mean_4h))::smallint
    end as rank,
    outlook.synthetic_share,
    now() - coalesce(outlook.real_fetched_at, last_real.fetched_at) as data_age,
    now() - outlook.synthetic_fetched_at as synthetic_age
    {%- for length in hours %},
    best.now_{{ length }}h as now_{{ length }}h_gco2_kwh
    {%- endfor %}
from {{ ref('regions') }} as region
left join {{ ref('carbon_intensity_regional') }} as current_half_hour
    on region.region_id = current_half_hour.region_id
    and current_half_hour.period_start > now() - interval '30 minutes' and current_half_hour.period_start <= now()
left join {{ ref('generation_mix_regional') }} as mix
    on region.region_id = mix.region_id
    and mix.period_start > now() - interval '30 minutes' and mix.period_start <= now()
left join price as price_now on price_now.period_start <= now()
left join best on region.region_id = best.region_id
left join outlook on region.region_id = outlook.region_id
{%- for length in hours %}
left join price as price_{{ length }}h
    on date_bin('30 minutes', best.start_{{ length }}h, timestamptz '2000-01-01 00:00Z') = price_{{ length }}h.period_start
{%- endfor %}
-- where no coming half-hour is real: how long the upstream has been silent
left join lateral (
    select past.fetched_at
    from {{ ref('carbon_intensity_regional') }} as past
    where past.region_id = region.region_id and not past.is_synthetic and past.forecast_gco2_kwh is not null
        and outlook.real_fetched_at is null
    order by past.period_start desc
    limit 1
) as last_real on true
left join compute on region.region_id = compute.region_id
where not region.is_aggregate
