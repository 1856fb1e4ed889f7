-- One index range of the half-hours of the days that are asked for.
select
    dataset,
    settlement_date,
    count(distinct period_start)::smallint as half_hours_revised,
    max(largest_change) as largest_change,
    case split_part(dataset, '/', 1)
        when 'carbon_intensity_national' then 'gCO2/kWh'
        when 'generation_mix_national' then 'percentage points'
        when 'wholesale_prices' then 'GBP/MWh'
        else 'MW'
    end as unit
from {{ ref('int_data_revisions__half_hours') }}
where largest_change > 0
group by dataset, settlement_date
