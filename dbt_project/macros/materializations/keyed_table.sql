{#-
A table with a natural key that is never dropped: created once with its contract, then `insert ... on conflict`.

Foreign keys that point at it and views that read it therefore outlive every dbt command. `--full-refresh` empties and
fills it in one transaction; with `is_referenced` in its `meta`, of a table that others have foreign keys to, it writes every row anew
and removes none. Which row of a key wins is the same whatever the order of arrival:
- with provenance columns (the default): a real row before a synthetic one, then (with `precedence: [...]`) the source that is
  named first, then (with a column `issued_at`) the one that the upstream issued last, then the one fetched last;
- with `replaces`: the row that the model gives now.
`updated_at` moves only when a value moved. With `consumes: [...]` the payloads are recorded in the same statement.

A table that exists follows its contract (columns, types, NOT NULL, CHECK, foreign keys, indexes; `migrate_to_contract`). All of it is
one transaction: if a row does not fit, PostgreSQL says which rule it breaks, and nothing has changed.
-#}
{% materialization keyed_table, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- asked before anything is made, because a table that does not exist yet is filled from every payload -#}
    {%- set upsert = keyed_table_upsert(target_relation) -%}
    {% do run_query(get_assert_columns_equivalent(sql) ~ suit_json_unpacking()) %}
    {%- set demands = [] -%}
    {% if existing is none %}
        {% do run_query("create table " ~ target_relation ~ get_table_columns_and_constraints()) %}
        {% do create_indexes(target_relation) %}
    {% else %}
        {#- what the contract demands of every row is demanded once the rows are written anew -#}
        {%- set is_rewritten = should_full_refresh() and config.meta_get('is_referenced', false) -%}
        {% if should_full_refresh() and not is_rewritten %}
            {% do run_query("delete from " ~ target_relation) %}
        {% endif %}
        {% do demands.extend(migrate_to_contract(target_relation, is_rewritten)) %}
        {% do restore_foreign_keys(target_relation) %}
        {% do add_indexes(target_relation) %}
    {% endif %}

    {% call statement('main') -%}
        {{ upsert }}
    {%- endcall %}
    {% for change in demands %}
        {% do run_query(change) %}
    {% endfor %}

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
    {%- set consumes = datasets_of(model) -%}
    {%- set precedence = config.meta_get('precedence') or [] -%}
    with incoming as (
        {{ sql }}
    )
    {%- if consumes %},

    published as (
        insert into {{ relation_of_publishing('published_payloads') }} (model_name, payload_id)
        {%- for dataset in consumes %}
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
    {%- if config.meta_get('replaces', false) or (should_full_refresh() and config.meta_get('is_referenced', false)) %}
        {{ old_values }} is distinct from {{ new_values }}
    {%- else %}
        (current.is_synthetic and not excluded.is_synthetic)
        or (
            current.is_synthetic = excluded.is_synthetic
            and {{ rank_of_row('excluded', columns, precedence) }} > {{ rank_of_row('current', columns, precedence) }}
        )
    {%- endif %}
{%- endmacro %}


{#- What two real, or two synthetic, rows of a key are compared by. An unknown time of issue is before every other. -#}
{% macro rank_of_row(row, columns, precedence) -%}
    (
        {%- if precedence %}-{{ source_rank(row ~ '.source', precedence) }}, {% endif -%}
        {%- if 'issued_at' in columns %}coalesce({{ row }}.issued_at, '-infinity'), {% endif -%}
        {{ row }}.fetched_at, {{ row }}.payload_id
    )
{%- endmacro %}


{#- 1 for the source that is named first, and so on: the lower one wins if two have the same half-hour. -#}
{% macro source_rank(column, precedence) -%}
    array_position(array['{{ precedence | join("', '") }}'], {{ column }})
{%- endmacro %}
