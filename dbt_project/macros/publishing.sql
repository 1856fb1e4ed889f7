{#-
Which payloads a model still has to publish, and the record that it has.

A dataset is unpacked by `int_<dataset>_rows` (a view over all payloads) and `int_<dataset>_batch` (a table: the rows of
payloads that some consumer has not published). A consumer, a `keyed_table` with `publishes=[dataset, ...]`, reads
`published_rows(dataset)` and is entered in `published_payloads` by the very statement that writes its rows.
-#}

{% macro published_payloads_relation() -%}
    {{ return(api.Relation.create(
        database=target.database, schema=generate_schema_name('intermediate'), identifier='published_payloads'
    )) }}
{%- endmacro %}


{#- `if not exists` would still ask for the right to create, and remark on a table that is there. -#}
{% macro create_published_payloads() -%}
    {%- if execute -%}
        {%- set relation = published_payloads_relation() -%}
        {%- if adapter.get_relation(relation.database, relation.schema, relation.identifier) is none -%}
            create schema if not exists {{ relation.schema }};
            create table if not exists {{ relation }} (
                model_name text,
                payload_id uuid,
                published_at timestamptz not null default now(),
                primary key (model_name, payload_id)
            );
            comment on table {{ relation }} is 'One row is a payload that a model has published.'
        {%- else -%}
            select 1
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- Whether the model is built from every payload: it is not there yet, or a full refresh was asked for. -#}
{% macro is_rebuild() -%}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {{ return(load_cached_relation(this) is none or should_full_refresh()) }}
{%- endmacro %}


{#- The rows of a dataset that this model is to publish: those that passed the staging checkpoint. -#}
{% macro published_rows(dataset) -%}
    {%- set all_rows = ref('int_' ~ dataset ~ '_rows') -%}
    {%- set batch = ref('int_' ~ dataset ~ '_batch') -%}
    {%- set verdicts = source('ops', 'payload_verdicts') -%}
    (
        select unpacked.*
        from {{ all_rows if is_rebuild() else batch }} as unpacked
        inner join {{ verdicts }} as verdict on unpacked.payload_id = verdict.payload_id
        where verdict.verdict = 'passed' {{ and_only_these('unpacked.payload_id') }}
    )
{%- endmacro %}


{#- The payloads behind `published_rows`, those without a single row included. -#}
{% macro published_payload_ids(dataset) -%}
    {%- set verdicts = source('ops', 'payload_verdicts') -%}
    {%- if is_rebuild() -%}
        select payload.payload_id
        from {{ source('staging', dataset ~ '_payloads') }} as payload
        inner join {{ verdicts }} as verdict on payload.payload_id = verdict.payload_id
        where verdict.verdict = 'passed' {{ and_only_these('payload.payload_id') }}
    {%- else -%}
        select distinct batch.payload_id
        from {{ ref('int_' ~ dataset ~ '_batch') }} as batch
        inner join {{ verdicts }} as verdict on batch.payload_id = verdict.payload_id
        where verdict.verdict = 'passed' {{ and_only_these('batch.payload_id') }}
    {%- endif -%}
{%- endmacro %}


{#-
With `--vars '{only_payloads: [...]}'` a model publishes these payloads alone; that is how the one that a table refuses is found.
-#}
{% macro and_only_these(payload_id) -%}
    {%- set ids = var('only_payloads', none) -%}
    {%- if ids is not none -%} and {{ payload_id }} = any('{ {{- ids | join(',') -}} }'::uuid[]) {%- endif -%}
{%- endmacro %}


{#- Payloads that a consumer of the dataset has not published and that are not held back. -#}
{% macro pending_payload_ids(dataset) -%}
    {%- set ledger = published_payloads_relation() -%}
    {%- set consumers = consumers_of(dataset) -%}
    {%- for consumer in consumers %}
    select payload.payload_id
    from {{ source('staging', dataset ~ '_payloads') }} as payload
    where not exists (
        select 1 from {{ ledger }} as published
        where published.model_name = '{{ consumer }}' and published.payload_id = payload.payload_id
    )
    and not exists (
        select 1 from {{ source('ops', 'payload_verdicts') }} as verdict
        where verdict.payload_id = payload.payload_id and verdict.verdict = 'held'
    )
    {{ 'union' if not loop.last }}
    {%- else %}
    select payload.payload_id from {{ source('staging', dataset ~ '_payloads') }} as payload where false
    {%- endfor %}
{%- endmacro %}


{% macro consumers_of(dataset) -%}
    {%- set consumers = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if dataset in (node.config.get('publishes') or []) -%}
            {%- do consumers.append(node.name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(consumers | sort) }}
{%- endmacro %}


{#-
Settings of a transaction that unpacks JSON. PostgreSQL takes a payload's half-hours for many alike and would look each
one up in a cache by its whole JSON, which takes ten times as long as unpacking it.
-#}
{% macro suit_json_unpacking() -%}
    set local enable_memoize = off; set local work_mem = '64MB'
{%- endmacro %}
