{#-
Which payloads a model still has to publish, and the record that it has.

A dataset is unpacked by `stg_<dataset>` (a view over all payloads) and `stg_<dataset>__pending` (a table: the rows of payloads
that some consumer has not published). A consumer is a `keyed_table` whose `meta` has `consumes: [dataset, ...]`, or `follows: [table, ...]`
for the datasets of those tables. It reads `published_rows(dataset)` and is entered in `published_payloads` by the very statement that
writes its rows.
-#}

{#- Whether the model is built from every payload: it does not exist yet, or a full refresh was requested. -#}
{% macro is_rebuild() -%}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {{ return(load_cached_relation(this) is none or should_full_refresh()) }}
{%- endmacro %}


{#- The view of a staging model. A table that `follows` others reads it after they did, so nothing need be said of their order. -#}
{% macro staging_view(dataset) -%}
    {%- if not execute -%}{{ return(ref('stg_' ~ dataset)) }}{%- endif -%}
    {%- set node = graph.nodes['model.' ~ project_name ~ '.stg_' ~ dataset] -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{%- endmacro %}


{#-
The rows of a dataset that this model is to publish: those that passed the staging checkpoint. `without_archive` leaves out what someone
else captured: it says what was forecast when, and is never fresher than what was fetched.
-#}
{% macro published_rows(dataset, without_archive=false) -%}
    {%- set view = staging_view(dataset) -%}
    {%- set verdicts = source('ops', 'payload_verdicts') -%}
    (
        select unpacked.*
        from {{ view if is_rebuild() else pending_rows_of(view) }} as unpacked
        inner join {{ verdicts }} as verdict on unpacked.payload_id = verdict.payload_id
        where verdict.verdict = 'passed' {{ and_only_these('unpacked.payload_id') }}
        {%- if without_archive %}
            and not exists (
                select 1 from {{ payloads(dataset) }} as captured
                where captured.payload_id = unpacked.payload_id and captured.origin = 'archive'
            )
        {%- endif %}
    )
{%- endmacro %}


{#- The payloads behind `published_rows`, those without a single row included. -#}
{% macro published_payload_ids(dataset) -%}
    {%- set verdicts = source('ops', 'payload_verdicts') -%}
    {%- if is_rebuild() -%}
        select payload.payload_id
        from {{ payloads(dataset) }} as payload
        inner join {{ verdicts }} as verdict on payload.payload_id = verdict.payload_id
        where verdict.verdict = 'passed' {{ and_only_these('payload.payload_id') }}
    {%- else -%}
        select distinct pending.payload_id
        from {{ pending_rows_of(staging_view(dataset)) }} as pending
        inner join {{ verdicts }} as verdict on pending.payload_id = verdict.payload_id
        where verdict.verdict = 'passed' {{ and_only_these('pending.payload_id') }}
    {%- endif -%}
{%- endmacro %}


{#-
With `--vars '{only_payloads: [...]}'` a model publishes these payloads alone; that is how the one that a table refuses is found.
-#}
{% macro and_only_these(payload_id) -%}
    {%- set ids = var('only_payloads', none) -%}
    {%- if ids is not none -%} and {{ payload_id }} = any('{ {{- ids | join(',') -}} }'::uuid[]) {%- endif -%}
{%- endmacro %}


{#- The datasets that a model consumes, itself or because the tables do that it follows. -#}
{% macro datasets_of(node) -%}
    {%- set datasets = (node.config.meta.consumes or []) | list -%}
    {%- if execute -%}
        {%- for other in graph.nodes.values() if other.name in (node.config.meta.follows or []) -%}
            {%- do datasets.extend(datasets_of(other)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(datasets | unique | list) }}
{%- endmacro %}


{#-
Settings of a transaction that unpacks JSON. PostgreSQL takes a payload's half-hours for many alike and would look each
one up in a cache by its whole JSON, which takes ten times as long as unpacking it.
-#}
{% macro suit_json_unpacking() -%}
    set local enable_memoize = off; set local work_mem = '64MB'
{%- endmacro %}
