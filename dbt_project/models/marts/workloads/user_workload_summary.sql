{{ config(meta={'security_invoker': true}) }}
select
    person.user_id,
    person.email as user_email,
    person.name as user_name,
    operator.operator_id,
    operator.name as operator_name,
    coalesce(workloads.total_workloads, 0) as total_workloads,
    coalesce(workloads.pending_workloads, 0) as pending_workloads,
    coalesce(workloads.running_workloads, 0) as running_workloads,
    coalesce(workloads.completed_workloads, 0) as completed_workloads,
    coalesce(workloads.failed_workloads, 0) as failed_workloads,
    coalesce(workloads.cancelled_workloads, 0) as cancelled_workloads,
    coalesce(workloads.total_energy_kwh, 0) as total_energy_kwh,
    workloads.total_carbon_kg,
    workloads.total_cost_gbp,
    workloads.last_submitted_at
from {{ source('app', 'users') }} as person
inner join {{ source('app', 'operators') }} as operator on person.operator_id = operator.operator_id
left join lateral (
    select
        count(*) as total_workloads,
        count(*) filter (where workload.status in ('pending', 'scheduled')) as pending_workloads,
        count(*) filter (where workload.status = 'running') as running_workloads,
        count(*) filter (where workload.status = 'completed') as completed_workloads,
        count(*) filter (where workload.status = 'failed') as failed_workloads,
        count(*) filter (where workload.status = 'cancelled') as cancelled_workloads,
        -- what has ended used power for as long as it ran, whatever was planned
        sum(coalesce(
            case
                when workload.actual_end is null then workload.energy_kwh
                when placement.chunks > 1 or placement.power_profile_kw is not null then (
                    select coalesce(round(sum(ran.power_kw * extract(epoch from ran.ends_at - ran.starts_at) / 3600), 6), 0)
                    from {{ function('workload_run') }}(
                        placement.placement_id, workload.actual_start, workload.actual_end
                    ) as ran
                )
                else round(workload.power_kw * extract(epoch from workload.actual_end - workload.actual_start) / 3600, 6)
            end,
            workload.energy_kwh
        )) filter (where workload.status <> 'cancelled') as total_energy_kwh,
        sum(coalesce(workload.actual_carbon_kg, placement.carbon_kg)) filter (where workload.status <> 'cancelled')
            as total_carbon_kg,
        sum(coalesce(workload.actual_cost_gbp, placement.cost_gbp)) filter (where workload.status <> 'cancelled')
            as total_cost_gbp,
        max(workload.created_at) as last_submitted_at
    from {{ source('app', 'compute_workloads') }} as workload
    left join {{ source('app', 'workload_placements') }} as placement on workload.placement_id = placement.placement_id
    where workload.user_id = person.user_id
) as workloads on true
