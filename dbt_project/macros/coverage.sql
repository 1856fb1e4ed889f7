{#- The settlement days that the payloads to be published were asked for. -#}
{% macro days_spoken_of(datasets) -%}
    select distinct {{ settlement_date('instant') }} as settlement_date
    from (
        {%- for dataset in datasets %}
        select payload.window_start, payload.window_end
        from {{ source('staging', dataset ~ '_payloads') }} as payload
        where payload.payload_id in ({{ published_payload_ids(dataset) }})
        {{ 'union' if not loop.last }}
        {%- endfor %}
    ) as asked
    cross join lateral
        generate_series(asked.window_start, asked.window_end - interval '30 minutes', interval '30 minutes') as instant
{%- endmacro %}


{#- Days; a longer stretch that nobody asked for separates an old backfill from the days of the refreshes. -#}
{% macro most_days_unasked() -%}
    31
{%- endmacro %}


{#- How long after a half-hour its value may still be missing without being late. Other datasets are forecasts: no time. -#}
{% macro coverage_lag(dataset) -%}
    case {{ dataset }}
        when 'demand_actual_national' then interval '2 hours'
        when 'demand_regional/nation' then interval '36 hours'
        when 'wholesale_prices/n2ex_day_ahead' then interval '36 hours'
        when 'wholesale_prices/apx_market_index' then interval '2 hours'
        when 'wholesale_prices/system_price' then interval '2 hours'
        else interval '0'
    end
{%- endmacro %}
