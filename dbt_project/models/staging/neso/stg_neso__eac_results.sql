select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    record ->> 'auctionProduct' as product,
    {{ ckan_instant('deliveryStart') }} as period_start,
    {{ ckan_instant('deliveryEnd') }} as period_end,
    {{ ckan_number('clearedVolume') }} as volume_mw,
    {{ ckan_number('clearingPrice') }} as price_gbp_mw_h
from {{ ckan_records('neso__eac_results') }}
