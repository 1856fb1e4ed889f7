select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    {{ ckan_demand() }},
    trim(record ->> 'FORECAST_ACTUAL_INDICATOR') = 'F' as is_forecast
from {{ ckan_records('neso__demand_update') }}
{{ ckan_demand_row() }}
