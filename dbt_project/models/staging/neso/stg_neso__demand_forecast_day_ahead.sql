select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    {{ ckan_instant('Publish_Datetime') }} as issued_at,
    {{ settlement_period_start(ckan_date('Date'), ckan_number('Settlement_Period')) }} as period_start,
    {{ ckan_number('Demand_Forecast') }} as national_demand
from {{ ckan_records('neso__demand_forecast_day_ahead') }}
