with unpacked as (
    select
        {{ provenance() }},
        {{ file_instant() }} as issued_at,
        {{ ckan_instant('GDATETIME') }} - interval '30 minutes' as period_start,
        {{ ckan_number('NATIONALDEMAND') }} as national_demand,
        null::numeric as transmission_system_demand
    from {{ records('neso__demand_forecast_2_14d', at='result,records') }}
)

{{ forecast_demand('unpacked') }}
