{{ config(
    materialized='keyed_table',
    unique_key=['known_on', 'region_id', 'lead_from_hours'],
    full_refresh=false,
    meta={'replaces': true, 'follows': ['int_carbon_intensity__captures']},
) }}
-- Once a day, with its first publication: what is there of today stays, so that every decision of the day can be made again.
select
    (now() at time zone 'UTC')::date as known_on,
    band.region_id,
    band.lead_from_hours,
    now() as known_at,
    band.days,
    band.errors,
    band.centre_gco2_kwh,
    band.slope,
    band.error_p10_gco2_kwh,
    band.error_p50_gco2_kwh,
    band.error_p90_gco2_kwh,
    now() as updated_at
from {{ function('carbon_intensity_bands_as_of') }}(now()) as band
{%- if not is_rebuild() %}
where not exists (select 1 from {{ this }} as today where today.known_on = (now() at time zone 'UTC')::date)
{%- endif %}
