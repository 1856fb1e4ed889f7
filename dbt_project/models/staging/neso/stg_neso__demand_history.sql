select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    {{ ckan_demand() }},
    false as is_forecast
from {{ ckan_records('neso__demand_history') }}
{{ ckan_demand_row() }}
