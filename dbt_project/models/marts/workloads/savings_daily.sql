{{ config(meta={'security_invoker': true}) }}
-- A saving is of a completed workload of which both figures are known; the others are counted, never taken for zero.
select
    receipt.operator_id,
    (receipt.ended_at at time zone 'Europe/London')::date as settlement_date,
    count(*) as workloads,
    count(*) filter (where receipt.status = 'completed') as completed_workloads,
    count(*) filter (where receipt.status = 'failed') as failed_workloads,
    count(*) filter (where receipt.status = 'cancelled') as cancelled_workloads,
    count(*) filter (where receipt.is_final) as final_workloads,
    count(*) filter (where receipt.realised_carbon_kg is null) as carbon_unknown_workloads,
    count(*) filter (where receipt.realised_cost_gbp is null) as cost_unknown_workloads,
    sum(receipt.energy_kwh) as energy_kwh,
    sum(receipt.realised_carbon_kg) as realised_carbon_kg,
    sum(receipt.realised_cost_gbp) as realised_cost_gbp,
    count(saved.carbon_kg) as carbon_compared_workloads,
    sum(receipt.at_once_carbon_kg) filter (where saved.carbon_kg is not null) as at_once_carbon_kg,
    sum(saved.carbon_kg) as saved_carbon_kg,
    count(saved.by_time_carbon_kg) as by_time_workloads,
    sum(saved.by_time_carbon_kg) as saved_by_time_carbon_kg,
    count(saved.by_place_carbon_kg) as by_place_workloads,
    sum(saved.by_place_carbon_kg) as saved_by_place_carbon_kg,
    count(saved.cost_gbp) as cost_compared_workloads,
    sum(receipt.at_once_cost_gbp) filter (where saved.cost_gbp is not null) as at_once_cost_gbp,
    sum(saved.cost_gbp) as saved_cost_gbp
from {{ source('app', 'receipts') }} as receipt
cross join lateral (
    select
        case when receipt.status = 'completed' then receipt.at_once_carbon_kg - receipt.realised_carbon_kg end
            as carbon_kg,
        case when receipt.status = 'completed' then receipt.at_once_here_carbon_kg - receipt.realised_carbon_kg end
            as by_time_carbon_kg,
        case
            when receipt.status = 'completed'
                then receipt.at_once_elsewhere_carbon_kg - receipt.at_once_here_carbon_kg
        end as by_place_carbon_kg,
        case when receipt.status = 'completed' then receipt.at_once_cost_gbp - receipt.realised_cost_gbp end as cost_gbp
) as saved
where receipt.is_newest and receipt.ended_at is not null
group by receipt.operator_id, (receipt.ended_at at time zone 'Europe/London')::date
