{#-
The one place of the rule "still to be published": a payload is, for a consumer of its dataset that has not published it, unless it is
held. `intermediate.published_payloads` is the record of what was published, the view `intermediate.pending_payloads` is what is not.
Staging models, flows, the watch and maintenance read the view. Both are there before any model is built.
-#}
{% macro prepare_publishing() -%}
    {%- if execute -%}
        {%- set ledger = relation_of_publishing('published_payloads') -%}
        {#- `if not exists` would still need the right to create, and remark on a table that is there -#}
        {%- if adapter.get_relation(ledger.database, ledger.schema, ledger.identifier) is none %}
            create schema if not exists {{ ledger.schema }};
            create table if not exists {{ ledger }} (
                model_name text,
                payload_id uuid,
                published_at timestamptz not null default now(),
                primary key (model_name, payload_id)
            );
            comment on table {{ ledger }} is 'One row is a payload that a model has published.';
        {%- endif -%}
        {%- set view = relation_of_publishing('pending_payloads') -%}
        {%- set definition = pending_payloads(ledger) -%}
        {%- set comment = 'One row is a payload that a model has still to publish. Definition ' ~ local_md5(definition) ~ '.' -%}
        {%- set known = run_query("select obj_description(to_regclass('" ~ view.include(database=false) ~ "'))").rows[0][0] -%}
        {%- if known != comment %}
            create or replace view {{ view }} as {{ definition }};
            comment on view {{ view }} is '{{ comment }}';
        {%- endif -%}
    {%- endif %}
    select 1
{%- endmacro %}


{#- The same by itself: `dbt run-operation write_publishing`. -#}
{% macro write_publishing() -%}
    {% do run_query(prepare_publishing()) %}
    {% do run_query("commit") %}
{%- endmacro %}


{% macro relation_of_publishing(name) -%}
    {{ return(api.Relation.create(
        database=target.database, schema=generate_schema_name('intermediate'), identifier=name
    )) }}
{%- endmacro %}


{% macro pending_payloads(ledger) -%}
    {%- for node in graph.nodes.values() | sort(attribute='name') if node.resource_type == 'model' -%}
    {%- for dataset in datasets_of(node) | sort %}
    select '{{ dataset }}'::text as dataset, '{{ node.name }}'::text as consumer, payload.payload_id, payload.fetched_at,
        payload.origin, payload.window_end
    from {{ payloads(dataset) }} as payload
    where not exists (
        select 1 from {{ ledger }} as published
        where published.model_name = '{{ node.name }}' and published.payload_id = payload.payload_id
    )
    and not exists (
        select 1 from {{ source('ops', 'payload_verdicts') }} as verdict
        where verdict.payload_id = payload.payload_id and verdict.verdict = 'held'
    )
    union all
    {%- endfor -%}
    {%- endfor %}
    select null::text, null::text, null::uuid, null::timestamptz, null::text, null::timestamptz where false
{%- endmacro %}
