{#-
The parts of `data_coverage`, from `meta.coverage` of the clean tables that are named. Each has its `dataset` (the table, or
`<table>/<part>` of it), `table`, `datasets` (whose payloads fill it), and
- of half-hours: `value` (what makes one present), `values_per_half_hour` and `rows` (which of the table's rows are its own), both from
  the source entry of the dataset unless a part of the table differs, and for measurements `lag` (how long a value may be missing
  without being late); with `rows_of` the part has the rows of that dataset alone;
- of events (`counts: events`): no `value`; they are counted by `starts` of the table's `meta`.
There are none while the project is parsed, nor in unit tests: then nothing is known of other models.
-#}
{% macro coverage_parts(tables) -%}
    {%- set parts = [] -%}
    {%- for node in (graph.nodes or {}).values() if (node.config.meta or {}).get('coverage') -%}
        {%- if node.name not in tables -%}
            {% do exceptions.raise_compiler_error(node.name ~ " has coverage: it is to be among the tables of " ~ model.name) %}
        {%- endif -%}
        {%- for entry in node.config.meta.coverage -%}
            {%- set others = entry.get('not_of', []) -%}
            {%- set datasets = entry.get('of', datasets_of(node)) | reject('in', others) | list -%}
            {%- set facts = source_meta(entry.rows_of or datasets | first) -%}
            {%- do parts.append({
                'dataset': node.name ~ ('/' ~ entry.part if entry.part else ''), 'table': node.name, 'value': entry.value,
                'datasets': datasets, 'values_per_half_hour': entry.values_per_half_hour or facts.values_per_half_hour or 1,
                'rows': facts.own_rows if entry.rows_of else entry.get('rows', 'true'),
                'starts': node.config.meta.starts, 'lag': entry.lag,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(parts | sort(attribute='dataset')) }}
{%- endmacro %}


{#- `meta` of the source entry of a dataset. -#}
{% macro source_meta(dataset) -%}
    {%- for source in (graph.sources or {}).values() if source.identifier == dataset ~ '_payloads' -%}
        {{ return(source.config.meta) }}
    {%- endfor -%}
    {{ return({}) }}
{%- endmacro %}


{#- The settlement days of the requests whose payloads are to be published. -#}
{% macro days_spoken_of(datasets) -%}
    select distinct {{ settlement_date('instant') }} as settlement_date
    from (
        {%- for dataset in datasets %}
        select payload.window_start, payload.window_end
        from {{ payloads(dataset) }} as payload
        where payload.payload_id in ({{ published_payload_ids(dataset) }})
        {{ 'union' if not loop.last }}
        {%- endfor %}
    ) as asked
    cross join lateral
        generate_series(asked.window_start, asked.window_end - interval '30 minutes', interval '30 minutes') as instant
{%- endmacro %}


{#- Days; before the refreshes began, a longer stretch that was not requested separates an old backfill from their days. -#}
{% macro most_days_unasked() -%}
    31
{%- endmacro %}


{#- How long after a half-hour its value may still be missing without being late. Other parts are forecasts: no time. -#}
{% macro coverage_lag(dataset, tables) -%}
    case
        {%- for part in coverage_parts(tables) if part.lag %}
        when {{ dataset }} = '{{ part.dataset }}' then interval '{{ part.lag }}'
        {%- endfor %}
        when true then interval '0'
    end
{%- endmacro %}


{#- The clean tables whose days are counted. -#}
{% macro covered_tables() -%}
    {{ return([
        'carbon_intensity_national', 'carbon_intensity_regional', 'generation_mix_national', 'generation_mix_regional',
        'demand_actual_national', 'demand_forecast_national', 'demand_regional', 'wholesale_prices', 'flexibility_prices',
    ]) }}
{%- endmacro %}
