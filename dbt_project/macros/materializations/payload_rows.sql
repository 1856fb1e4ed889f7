{#-
The rows that a staging model unpacks from payloads, twice: the model's own view over all payloads of its dataset, and the table
`<model>__pending` with the rows of the payloads that are still to be published. The staging checkpoint and the clean tables read
the table, so that no payload is unpacked more than once; a clean table that is built anew reads the view.

The table has every column but `record`, and is not logged: after a crash of the server it is empty, and the next run fills it.
-#}
{% materialization payload_rows, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set pending = pending_rows_of(target_relation) -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% do run_query(suit_json_unpacking()) %}
    {% do run_query(put_view_in_place(target_relation, existing, is_read_by_views=false)) %}
    {%- set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='quoted') | reject('eq', '"record"') -%}
    {% do run_query("drop table if exists " ~ pending ~ " cascade") %}
    {% call statement('main') -%}
        -- `= any (array(...))` and not a join: so it is the payloads that are filtered, before any of them is unpacked.
        create unlogged table {{ pending }} as
        select {{ columns | join(', ') }}
        from {{ target_relation }}
        where payload_id = any(array(
            select payload_id from {{ relation_of_publishing('pending_payloads') }}
            where dataset = '{{ model.name.removeprefix('stg_') }}'
        ))
    {%- endcall %}
    {% do run_query(
        "comment on table " ~ pending ~ " is 'One row is a row of " ~ model.name ~ " of a payload that is still to be published.'; "
        ~ "analyze " ~ pending
    ) %}

    {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, True)) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation, pending]}) }}
{% endmaterialization %}


{#- The table of pending rows, of the view over all payloads. -#}
{% macro pending_rows_of(view) -%}
    {{ return(api.Relation.create(
        database=view.database, schema=view.schema, identifier=view.identifier ~ '__pending', type='table'
    )) }}
{%- endmacro %}
