{{ config(meta={'security_invoker': true}) }}
-- Weights are as in the service: the worth of a kilogram is the setting CARBON_VALUE_GBP_TONNE.
select
    workload.workload_id,
    workload.operator_id,
    workload.user_id,
    workload.workload_type,
    workload.status,
    workload.energy_kwh,
    workload.duration_minutes,
    workload.earliest_start,
    workload.deadline,
    placement.starts_at as placed_start,
    placement.region_id as placed_region_id,
    placement.mean_intensity_gco2_kwh as placed_gco2_kwh,
    best.region_id as best_region_id,
    best.starts_at as best_start,
    best.ends_at as best_end,
    best.mean_gco2_kwh as best_gco2_kwh,
    best.mean_price_gbp_mwh as best_price_gbp_mwh,
    round(best.mean_gco2_kwh * workload.energy_kwh / 1000, 4) as best_carbon_kg,
    round((soonest.mean_gco2_kwh - best.mean_gco2_kwh) * workload.energy_kwh / 1000, 4) as saving_against_soonest_kg,
    round((placement.mean_intensity_gco2_kwh - best.mean_gco2_kwh) * workload.energy_kwh / 1000, 4)
        as saving_against_placement_kg,
    best.synthetic_share
from {{ source('app', 'compute_workloads') }} as workload
left join {{ source('app', 'workload_placements') }} as placement on workload.placement_id = placement.placement_id
left join {{ source('app', 'compute_assets') }} as asset on workload.asset_id = asset.asset_id
left join {{ ref('grid_zones') }} as zone on asset.zone_id = zone.zone_id
cross join lateral (
    select case
        when asset.asset_id is not null then array[coalesce(asset.region_id, zone.region_id)]
        else workload.region_ids
    end as region_ids
) as place
left join lateral (
    select possible.*
    from {{ function('best_windows') }}(
        make_interval(mins => workload.duration_minutes), greatest(workload.earliest_start, now()), workload.deadline,
        place.region_ids, jsonb_build_object(
            'carbon', workload.carbon_to_cost_weight * {{ carbon_value_gbp_kg() }},
            'price', 1 - workload.carbon_to_cost_weight
        )
    ) as possible
    where (workload.carbon_cap_gco2_kwh is null or possible.mean_gco2_kwh <= workload.carbon_cap_gco2_kwh)
        and (workload.price_cap_gbp_mwh is null or possible.mean_price_gbp_mwh <= workload.price_cap_gbp_mwh)
    order by possible.rank
    limit 1
) as best on true
left join lateral (
    select possible.mean_gco2_kwh
    from {{ function('best_windows') }}(
        make_interval(mins => workload.duration_minutes), greatest(workload.earliest_start, now()), workload.deadline,
        array[best.region_id]
    ) as possible
    order by possible.starts_at
    limit 1
) as soonest on true
where workload.status in ('pending', 'scheduled') and workload.is_deferrable
