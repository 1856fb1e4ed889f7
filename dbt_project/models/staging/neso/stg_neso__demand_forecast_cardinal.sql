select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    -- it carries a Z and is London's clock: read as UTC it would lie after the file was published
    coalesce(
        rtrim(record ->> 'FORECAST_TIMESTAMP', 'Z')::timestamp at time zone 'Europe/London',
        {{ file_instant() }}
    ) as issued_at,
    {{ ckan_date('TARGETDATE') }} as target_date,
    {{ ckan_number('FORECASTDEMAND') }} as national_demand,
    {{ ckan_number('CP_ST_TIME') }}::integer as start_clock,
    {{ ckan_number('CP_END_TIME') }}::integer as end_clock
from {{ ckan_records('neso__demand_forecast_cardinal') }}
