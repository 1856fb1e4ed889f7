{{ config(meta={'security_invoker': true}) }}
select
    operator.operator_id,
    operator.name as operator_name,
    operator.operator_type,
    operator.region_id,
    (select count(*) from {{ source('app', 'users') }} as person where person.operator_id = operator.operator_id) as user_count,
    coalesce(assets.asset_count, 0) as asset_count,
    coalesce(assets.active_asset_count, 0) as active_asset_count,
    coalesce(assets.rated_power_kw, 0) as rated_power_kw,
    workloads.workload_count,
    waiting_or_running.active_workloads,
    waiting_or_running.waiting_workloads
from {{ source('app', 'operators') }} as operator
left join lateral (
    select
        count(*) as asset_count,
        count(*) filter (where asset.is_active) as active_asset_count,
        sum(asset.rated_power_kw) filter (where asset.is_active) as rated_power_kw
    from {{ source('app', 'compute_assets') }} as asset
    where asset.operator_id = operator.operator_id
) as assets on true
-- kept, or counted in an index: the workloads themselves are not read
cross join lateral (
    select coalesce(sum(counted.workloads), 0)::bigint as workload_count
    from {{ source('app', 'workload_counts') }} as counted
    where counted.operator_id = operator.operator_id
) as workloads
cross join lateral (
    select
        count(*) filter (where workload.status = 'running') as active_workloads,
        count(*) filter (where workload.status in ('pending', 'scheduled')) as waiting_workloads
    from {{ source('app', 'compute_workloads') }} as workload
    where workload.operator_id = operator.operator_id and workload.status in ('pending', 'scheduled', 'running')
) as waiting_or_running
