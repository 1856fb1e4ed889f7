{#-
A view that is replaced in place, and only if its definition changed: views and readers that depend on it never
see it vanish, and an unchanged view takes no lock that a long query of a reader could hold up.

A change that PostgreSQL cannot make in place (a column dropped, renamed or of another type) needs the views that
depend on it to be built anew: `dbt run --full-refresh -s this_view+`.
-#}
{% materialization stable_view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('main') -%}
        {{ put_view_in_place(target_relation, existing) }}
    {%- endcall %}

    {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, True)) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#-
The statement that makes the view of this model what its SQL says: none that changes anything if it is so already.

A view that no other reads is dropped and made anew where PostgreSQL cannot replace it; if one of a user's reads it, that fails.
`security_invoker`: the view sees what its reader may see, not what dbt may.
-#}
{% macro put_view_in_place(target_relation, existing, is_read_by_views=true) -%}
    {%- set contract = get_assert_columns_equivalent(sql) if config.get('contract').enforced else '' -%}
    {%- set candidate = 'pg_temp.' ~ model.name -%}
    {% do run_query(contract ~ 'create or replace temporary view "' ~ model.name ~ '" as (' ~ sql ~ ')') %}
    {%- set is_same = existing is not none and existing.is_view and run_query(
        "select pg_get_viewdef('" ~ candidate ~ "'::regclass) = pg_get_viewdef('" ~ existing ~ "'::regclass) "
        ~ "and (select coalesce('security_invoker=true' = any(reloptions), false) from pg_class where oid = '" ~ existing
        ~ "'::regclass) = " ~ config.meta_get('security_invoker', false)
    ).rows[0][0] -%}
    {%- set is_replaceable = existing is none or is_same or view_is_replaceable(candidate, existing) -%}
    {% do run_query("drop view " ~ candidate) %}
    {%- if not is_replaceable and is_read_by_views and not should_full_refresh() -%}
        {% do exceptions.raise_compiler_error(
            "The columns of " ~ target_relation ~ " changed in a way that PostgreSQL cannot make in place. Build it and "
            ~ "what depends on it anew: dbt run --full-refresh -s " ~ model.name ~ "+"
        ) %}
    {%- endif -%}
    {%- set rights = 'with (security_invoker = true)' if config.meta_get('security_invoker') else '' -%}
    {%- if is_same -%}
        select 1
    {%- elif is_replaceable -%}
        create or replace view {{ target_relation }} {{ rights }} as ({{ sql }})
    {%- else -%}
        drop {{ existing.type }} {{ existing }} {{ 'cascade' if should_full_refresh() }};
        create view {{ target_relation }} {{ rights }} as ({{ sql }})
    {%- endif -%}
{%- endmacro %}


{#- PostgreSQL replaces a view whose columns keep their place, name and type; new ones may follow. -#}
{% macro view_is_replaceable(candidate, existing) -%}
    {%- if not existing.is_view -%}{{ return(false) }}{%- endif -%}
    {%- set query -%}
        select not exists (
            select 1
            from pg_attribute as old
            left join pg_attribute as new
                on new.attrelid = '{{ candidate }}'::regclass and new.attnum = old.attnum
            where old.attrelid = '{{ existing }}'::regclass and old.attnum > 0 and not old.attisdropped
            and (new.attname, new.atttypid, new.atttypmod) is distinct from (old.attname, old.atttypid, old.atttypmod)
        )
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro %}
