{#- The settlement days that the payloads to be published were asked for. -#}
{% macro days_spoken_of(datasets) -%}
    {%- for dataset in datasets %}
    select {{ settlement_date('instant') }} as settlement_date
    from {{ source('staging', dataset ~ '_payloads') }} as payload
    cross join lateral
        generate_series(payload.window_start, payload.window_end - interval '30 minutes', interval '30 minutes') as instant
    where payload.payload_id in ({{ published_payload_ids(dataset) }})
    {{ 'union' if not loop.last }}
    {%- endfor %}
    {{ 'group by 1' if datasets | length == 1 }}
{%- endmacro %}
