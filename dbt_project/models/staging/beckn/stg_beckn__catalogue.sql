-- The deployed and the documented form: an array or an object of locations, a provider on the item or on the catalogue. Of
-- several locations the first counts. Offers join items by `beckn:items`, never by provider.
with catalogues as (
    select
        payload.payload_id,
        payload.origin = 'synthetic' as is_synthetic,
        payload.fetched_at,
        catalogue,
        payload.payload -> 'message' -> 'catalogs' as all_catalogues
    from {{ source('staging', 'beckn__catalogue_payloads') }} as payload
    left join lateral jsonb_array_elements(payload.payload -> 'message' -> 'catalogs') as catalogue on true
)

select
    catalogues.payload_id,
    catalogues.is_synthetic,
    catalogues.fetched_at,
    item ->> 'beckn:id' as window_id,
    item #>> '{beckn:descriptor,schema:name}' as name,
    coalesce(
        item #>> '{beckn:provider,beckn:id}', catalogue ->> 'beckn:providerId', catalogue #>> '{beckn:provider,beckn:id}'
    ) as provider_id,
    item #>> '{beckn:itemAttributes,beckn:gridParameters,gridArea}' as grid_area,
    item #>> '{beckn:itemAttributes,beckn:gridParameters,gridZone}' as zone_code,
    (item #>> '{beckn:itemAttributes,beckn:gridParameters,renewableMix}')::numeric as renewable_mix,
    (item #>> '{beckn:itemAttributes,beckn:gridParameters,carbonIntensity}')::numeric as carbon_intensity,
    (item #>> '{beckn:itemAttributes,beckn:capacityParameters,availableCapacity}')::numeric as available_capacity,
    (item #>> '{beckn:itemAttributes,beckn:capacityParameters,reservationRequired}')::boolean as reservation_required,
    substring(item #>> '{beckn:itemAttributes,beckn:timeWindow,start}' from '([0-9]{2}:[0-9]{2}(:[0-9]{2})?)')::time
        as start_time,
    substring(item #>> '{beckn:itemAttributes,beckn:timeWindow,end}' from '([0-9]{2}:[0-9]{2}(:[0-9]{2})?)')::time
        as end_time,
    (catalogue #>> '{beckn:validity,schema:startDate}')::timestamptz as valid_from,
    (catalogue #>> '{beckn:validity,schema:endDate}')::timestamptz as valid_until,
    place.location -> 'geo' as geometry,
    place.location #>> '{address,addressLocality}' as locality,
    place.location #>> '{address,addressRegion}' as region_name,
    place.location #>> '{address,addressCountry}' as country,
    offered.offers
from catalogues
left join lateral jsonb_array_elements(catalogue -> 'beckn:items') as item on true
left join lateral (
    select case jsonb_typeof(item -> 'beckn:availableAt')
        when 'array' then item -> 'beckn:availableAt' -> 0
        else item -> 'beckn:availableAt'
    end as location
) as place on true
left join lateral (
    select jsonb_agg(distinct offer) as offers
    from jsonb_array_elements(catalogues.all_catalogues) as any_catalogue
    cross join lateral jsonb_array_elements(coalesce(any_catalogue -> 'beckn:offers', '[]')) as offer
    where offer -> 'beckn:items' ? (item ->> 'beckn:id')
) as offered on true
