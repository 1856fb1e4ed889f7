select
    18::smallint as region_id,
    'Great Britain' as region_name,
    intensity.period_start,
    intensity.period_end,
    intensity.forecast_gco2_kwh,
    intensity.intensity_index,
    intensity.payload_id,
    intensity.is_synthetic,
    intensity.fetched_at,
    now() - intensity.fetched_at as data_age,
    intensity.is_isolated
from {{ ref('carbon_intensity_national') }} as intensity
where intensity.period_end > now() and intensity.period_start < now() + interval '24 hours'

union all

select
    intensity.region_id,
    region.name as region_name,
    intensity.period_start,
    intensity.period_end,
    intensity.forecast_gco2_kwh,
    intensity.intensity_index,
    intensity.payload_id,
    intensity.is_synthetic,
    intensity.fetched_at,
    now() - intensity.fetched_at as data_age,
    intensity.is_isolated
from {{ ref('carbon_intensity_regional') }} as intensity
inner join {{ ref('regions') }} as region on intensity.region_id = region.region_id
where not region.is_aggregate
    and intensity.period_end > now() and intensity.period_start < now() + interval '24 hours'
