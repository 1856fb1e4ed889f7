select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    {{ file_instant() }} as issued_at,
    {{ ckan_instant('GDATETIME') }} - interval '30 minutes' as period_start,
    {{ ckan_number('NATIONALDEMAND') }} as national_demand
from {{ ckan_records('neso__demand_forecast_2_14d') }}
