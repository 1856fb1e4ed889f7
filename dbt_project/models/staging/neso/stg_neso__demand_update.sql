with unpacked as (
    select
        {{ provenance() }},
        {{ ckan_demand() }},
        trim(record ->> 'FORECAST_ACTUAL_INDICATOR') = 'F' as is_forecast,
        null::timestamptz as published_at
    from {{ records('neso__demand_update', at='result,records') }}
    {{ ckan_demand_row() }}
)

{{ measured_demand('unpacked') }}
