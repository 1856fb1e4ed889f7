{#-
A table with a natural key that is never dropped: created once with its contract, then `insert ... on conflict`.

Foreign keys that point at it and views that read it therefore outlive every dbt command. `--full-refresh` empties and
fills it in one transaction; with `is_referenced=true`, of a table that others have foreign keys to, it writes every row anew
and removes none. Which row of a key wins is the same whatever the order of arrival:
- with provenance columns (the default): a real row before a synthetic one, then (with `sources=[...]`) the source that is
  named first, then the one fetched last;
- with `replaces=true`: the row that the model gives now.
`updated_at` moves only when a value moved. With `publishes=[...]` the payloads are recorded in the same statement.
-#}
{% materialization keyed_table, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- asked before anything is made, because a table that is not there yet is filled from every payload -#}
    {%- set upsert = keyed_table_upsert(target_relation) -%}
    {% do run_query(get_assert_columns_equivalent(sql) ~ suit_json_unpacking()) %}
    {% if existing is none %}
        {% do run_query("create table " ~ target_relation ~ get_table_columns_and_constraints()) %}
        {% do create_indexes(target_relation) %}
    {% else %}
        {% do keyed_table_add_columns(target_relation) %}
        {% do keyed_table_restore_foreign_keys(target_relation) %}
        {% if should_full_refresh() and not config.get('is_referenced', false) %}
            {% do run_query("delete from " ~ target_relation) %}
        {% endif %}
    {% endif %}

    {% call statement('main') -%}
        {{ upsert }}
    {%- endcall %}

    {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, True)) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro keyed_table_upsert(relation) -%}
    {%- set key = config.require('unique_key') -%}
    {%- set key = [key] if key is string else key -%}
    {%- set columns = model['columns'].keys() | list -%}
    {%- set provenance = ['payload_id', 'fetched_at', 'updated_at'] -%}
    {%- set moving = columns | reject('in', key) | list -%}
    {%- set values = moving | reject('in', provenance) | list -%}
    {%- set old_values = 'row(current.' ~ values | join(', current.') ~ ')' -%}
    {%- set new_values = 'row(excluded.' ~ values | join(', excluded.') ~ ')' -%}
    {%- set publishes = config.get('publishes') or [] -%}
    {%- set sources = config.get('sources') or [] -%}
    with incoming as (
        {{ sql }}
    )
    {%- if publishes %},

    published as (
        insert into {{ published_payloads_relation() }} (model_name, payload_id)
        {%- for dataset in publishes %}
        select '{{ model.name }}', done.payload_id from ({{ published_payload_ids(dataset) }}) as done
        {{ 'union all' if not loop.last }}
        {%- endfor %}
        on conflict do nothing
    )
    {%- endif %}

    insert into {{ relation }} as current ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from incoming
    on conflict ({{ key | join(', ') }}) do update set
    {%- for column in moving %}
        {{ column }} = {% if column == 'updated_at' -%}
            case when {{ old_values }} is distinct from {{ new_values }}
                then excluded.updated_at else current.updated_at end
        {%- else -%}
            excluded.{{ column }}
        {%- endif -%}{{ ',' if not loop.last }}
    {%- endfor %}
    where
    {%- if config.get('replaces', false) or (should_full_refresh() and config.get('is_referenced', false)) %}
        {{ old_values }} is distinct from {{ new_values }}
    {%- else %}
        (current.is_synthetic and not excluded.is_synthetic)
        or (
            current.is_synthetic = excluded.is_synthetic
            {%- if sources %}
            and (-{{ source_rank('excluded.source', sources) }}, excluded.fetched_at, excluded.payload_id)
            > (-{{ source_rank('current.source', sources) }}, current.fetched_at, current.payload_id)
            {%- else %}
            and (excluded.fetched_at, excluded.payload_id) > (current.fetched_at, current.payload_id)
            {%- endif %}
        )
    {%- endif %}
{%- endmacro %}


{#- 1 for the source that is named first, and so on: the lower one wins where two speak of one half-hour. -#}
{% macro source_rank(column, sources) -%}
    array_position(array['{{ sources | join("', '") }}'], {{ column }})
{%- endmacro %}


{#- A column that is new in the contract is added; one that has gone or changed its type is for a person to decide. -#}
{% macro keyed_table_add_columns(relation) -%}
    {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- set wanted = model['columns'] -%}
    {%- set gone = there | reject('in', wanted.keys() | list) | list -%}
    {%- if gone -%}
        {% do exceptions.raise_compiler_error(
            relation ~ " has columns that its contract does not name: " ~ gone | join(', ')
            ~ ". Drop them by hand (alter table ... drop column) if they are really to go."
        ) %}
    {%- endif -%}
    {%- for name, column in wanted.items() if name not in there -%}
        {% do run_query("alter table " ~ relation ~ " add column " ~ name ~ " " ~ column.data_type) %}
    {%- endfor -%}
{%- endmacro %}


{#- Whoever drops a parent by hand, with cascade, drops the keys that point at it; they come back with the next run. -#}
{% macro keyed_table_restore_foreign_keys(relation) -%}
    {%- set wanted = model['constraints'] | selectattr('type', 'eq', 'foreign_key') | list -%}
    {%- set there = foreign_keys_of(relation) -%}
    {%- if there | length < wanted | length -%}
        {%- for name in there -%}
            {% do run_query("alter table " ~ relation ~ " drop constraint " ~ adapter.quote(name)) %}
        {%- endfor -%}
        {%- for definition in adapter.render_raw_model_constraints(raw_constraints=wanted) -%}
            {% do run_query("alter table " ~ relation ~ " add " ~ definition) %}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro foreign_keys_of(relation) -%}
    {%- set query -%}
        select conname from pg_constraint where contype = 'f' and conrelid = '{{ relation }}'::regclass
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}
