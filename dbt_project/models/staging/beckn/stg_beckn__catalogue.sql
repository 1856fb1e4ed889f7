-- The deployed and the documented form: an array or an object of locations, a provider on the item or on the catalogue. Of
-- several locations the first counts. Offers join items by `beckn:items`, never by provider, whichever catalogue of the
-- payload they are in. Each `offset 0` has PostgreSQL unpack a payload once, not once for every item.
select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    listed.item ->> 'beckn:id' as window_id,
    listed.item #>> '{beckn:descriptor,schema:name}' as name,
    coalesce(listed.item #>> '{beckn:provider,beckn:id}', listed.provider_id) as provider_id,
    listed.item #>> '{beckn:itemAttributes,beckn:gridParameters,gridArea}' as grid_area,
    listed.item #>> '{beckn:itemAttributes,beckn:gridParameters,gridZone}' as zone_code,
    (listed.item #>> '{beckn:itemAttributes,beckn:gridParameters,renewableMix}')::numeric as renewable_mix,
    (listed.item #>> '{beckn:itemAttributes,beckn:gridParameters,carbonIntensity}')::numeric as carbon_intensity,
    (listed.item #>> '{beckn:itemAttributes,beckn:capacityParameters,availableCapacity}')::numeric as available_capacity,
    (listed.item #>> '{beckn:itemAttributes,beckn:capacityParameters,reservationRequired}')::boolean
        as reservation_required,
    substring(listed.item #>> '{beckn:itemAttributes,beckn:timeWindow,start}' from '([0-9]{2}:[0-9]{2}(:[0-9]{2})?)')::time
        as start_time,
    substring(listed.item #>> '{beckn:itemAttributes,beckn:timeWindow,end}' from '([0-9]{2}:[0-9]{2}(:[0-9]{2})?)')::time
        as end_time,
    listed.valid_from,
    listed.valid_until,
    place.location -> 'geo' as geometry,
    place.location #>> '{address,addressLocality}' as locality,
    place.location #>> '{address,addressRegion}' as region_name,
    place.location #>> '{address,addressCountry}' as country,
    offered.by_item -> (listed.item ->> 'beckn:id') as offers
from {{ source('staging', 'beckn__catalogue_payloads') }} as payload
left join lateral (
    select jsonb_object_agg(item_id, offers) as by_item
    from (
        select item_id, jsonb_agg(distinct offer) as offers
        from jsonb_array_elements(payload.payload -> 'message' -> 'catalogs') as catalogue
        cross join lateral jsonb_array_elements(nullif(catalogue -> 'beckn:offers', 'null')) as offer
        cross join lateral jsonb_array_elements_text(offer -> 'beckn:items') as item_id
        group by item_id
    ) as offer_of_item
    offset 0
) as offered on true
left join lateral (
    select
        catalog.provider_id,
        catalog.valid_from,
        catalog.valid_until,
        item
    from (
        select
            coalesce(catalogue ->> 'beckn:providerId', catalogue #>> '{beckn:provider,beckn:id}') as provider_id,
            {{ utc_instant("catalogue #>> '{beckn:validity,schema:startDate}'") }} as valid_from,
            {{ utc_instant("catalogue #>> '{beckn:validity,schema:endDate}'") }} as valid_until,
            catalogue -> 'beckn:items' as items
        from jsonb_array_elements(payload.payload -> 'message' -> 'catalogs') as catalogue
        offset 0
    ) as catalog
    cross join lateral jsonb_array_elements(catalog.items) as item
    offset 0
) as listed on true
left join lateral (
    select case jsonb_typeof(listed.item -> 'beckn:availableAt')
        when 'array' then listed.item -> 'beckn:availableAt' -> 0
        else listed.item -> 'beckn:availableAt'
    end as location
) as place on true
