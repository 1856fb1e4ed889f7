with unpacked as (
    select
        {{ provenance() }},
        {{ ckan_instant('Publish_Datetime') }} as issued_at,
        {{ settlement_period_start(ckan_date('Date'), ckan_number('Settlement_Period')) }} as period_start,
        {{ ckan_number('Demand_Forecast') }} as national_demand,
        null::numeric as transmission_system_demand
    from {{ records('neso__demand_forecast_day_ahead', at='result,records') }}
)

{{ forecast_demand('unpacked') }}
