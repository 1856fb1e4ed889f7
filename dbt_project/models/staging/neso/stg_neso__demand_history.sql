with unpacked as (
    select
        {{ provenance() }},
        {{ ckan_demand() }},
        false as is_forecast,
        null::timestamptz as published_at
    from {{ records('neso__demand_history', at='result,records') }}
    {{ ckan_demand_row() }}
)

{{ measured_demand('unpacked') }}
