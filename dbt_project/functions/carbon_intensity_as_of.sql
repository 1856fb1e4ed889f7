{#- A function is kept as text: without the name of the database it also works in a copy under another name. -#}
select distinct on (vintage.region_id, vintage.period_start)
    vintage.region_id,
    vintage.period_start,
    case when vintage.is_isolated is not true then vintage.forecast_gco2_kwh end as forecast_gco2_kwh,
    vintage.known_at,
    vintage.is_synthetic
from {{ ref('carbon_intensity_vintages').include(database=false) }} as vintage
where vintage.known_at <= carbon_intensity_as_of.known_at
    -- nothing is asked for further than two days ahead, so older captures cannot speak of coming half-hours
    and vintage.known_at > carbon_intensity_as_of.known_at - interval '3 days'
    and vintage.period_start + interval '30 minutes' > carbon_intensity_as_of.known_at
    and (carbon_intensity_as_of.region_id is null or vintage.region_id = carbon_intensity_as_of.region_id)
order by vintage.region_id, vintage.period_start, vintage.is_synthetic, vintage.known_at desc
