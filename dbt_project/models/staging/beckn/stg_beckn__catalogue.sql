-- The deployed and the documented form: an array or an object of locations, a provider on the item or on the catalogue. Of
-- several locations the first counts. Offers join items by `beckn:items`, never by provider, whichever catalogue of the
-- payload they are in. Each `offset 0` has PostgreSQL unpack a payload once, not once for every item.
-- `record` is the item with what its catalogue says once for all of its items, and the offers that name it.
with unpacked as (
    select
        {{ provenance(record="listed.said || listed.item || listed_offers.part as record") }},
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
            as starts_at_time,
        substring(listed.item #>> '{beckn:itemAttributes,beckn:timeWindow,end}' from '([0-9]{2}:[0-9]{2}(:[0-9]{2})?)')::time
            as ends_at_time,
        listed.valid_from,
        listed.valid_until,
        place.location -> 'geo' as geometry,
        place.location #>> '{address,addressLocality}' as locality,
        place.location #>> '{address,addressRegion}' as region_name,
        place.location #>> '{address,addressCountry}' as country,
        offered.by_item -> (listed.item ->> 'beckn:id') as offers
    from {{ payloads('beckn__catalogue') }} as payload
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
            catalog.said,
            item,
            row_number() over (order by catalog.catalogue_no, item_no) as record_no
        from (
            select
                coalesce(catalogue ->> 'beckn:providerId', catalogue #>> '{beckn:provider,beckn:id}') as provider_id,
                {{ utc_instant("catalogue #>> '{beckn:validity,schema:startDate}'") }} as valid_from,
                {{ utc_instant("catalogue #>> '{beckn:validity,schema:endDate}'") }} as valid_until,
                catalogue - '{beckn:items,beckn:offers}'::text[] as said,
                catalogue -> 'beckn:items' as items,
                catalogue_no
            from jsonb_array_elements(payload.payload -> 'message' -> 'catalogs')
                with ordinality as catalogue_of (catalogue, catalogue_no)
            offset 0
        ) as catalog
        cross join lateral jsonb_array_elements(catalog.items) with ordinality as item_of (item, item_no)
        offset 0
    ) as listed on true
    left join lateral (
        select case
            when offered.by_item -> (listed.item ->> 'beckn:id') is null then '{}'
            else jsonb_build_object('beckn:offers', offered.by_item -> (listed.item ->> 'beckn:id'))
        end as part
    ) as listed_offers on true
    left join lateral (
        select case jsonb_typeof(listed.item -> 'beckn:availableAt')
            when 'array' then listed.item -> 'beckn:availableAt' -> 0
            else listed.item -> 'beckn:availableAt'
        end as location
    ) as place on true
)

select
    {{ provenance('unpacked') }},
    -- a snapshot has no half-hours
    case when window_id is not null then fetched_at end as period_start,
    window_id,
    name,
    provider_id,
    zone_code || '/' || grid_area as zone_id,
    grid_area,
    zone_code,
    ({{ within('renewable_mix', 'share_pct') }})::numeric(5, 2) as renewable_pct,
    ({{ within('carbon_intensity', 'intensity_gco2_kwh') }})::numeric(6, 2) as carbon_intensity_gco2_kwh,
    ({{ within('available_capacity', 'power_mw') }})::numeric(9, 3) as available_capacity_mw,
    reservation_required,
    starts_at_time,
    ends_at_time,
    ends_at_time <= starts_at_time as crosses_midnight,
    valid_from,
    valid_until,
    geometry,
    locality,
    region_name,
    country,
    offers,
    {{ fault(
        outside('renewable share', 'renewable_mix', 'share_pct'),
        outside('intensity', 'carbon_intensity', 'intensity_gco2_kwh'),
        outside('capacity', 'available_capacity', 'power_mw'),
    ) }}
from unpacked
