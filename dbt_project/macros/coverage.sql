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
