{#-
Brings a keyed table that exists to its contract: columns, types, NOT NULL and CHECK. Returns the statements that demand something of
every row; with `later` they are left to the caller, else they have been run.

The contract is written to a temporary table and read back, so that both sides are spelled as PostgreSQL spells them.
-#}
{% macro migrate_to_contract(relation, later) -%}
    {%- set contract = 'pg_temp."' ~ model.name ~ '__contract"' -%}
    {%- set parts = adapter.render_raw_columns_constraints(raw_columns=model['columns']) + adapter.render_raw_model_constraints(
        raw_constraints=model['constraints'] | rejectattr('type', 'eq', 'foreign_key') | list
    ) -%}
    {% do run_query("create temporary table " ~ contract.removeprefix('pg_temp.') ~ " (" ~ parts | join(', ') ~ ")") %}
    {%- set refusals = run_query(contract_refusals(relation, contract)).columns[0].values() | list -%}
    {%- if refusals -%}
        {% do exceptions.raise_compiler_error(relation ~ ": " ~ refusals | join("; ")) %}
    {%- endif -%}
    {%- set found = run_query(contract_changes(relation, contract)) -%}
    {% do run_query("drop table " ~ contract) %}
    {%- set changes, demands = [], [] -%}
    {%- for demands_rows, retypes, change in found.rows -%}
        {%- set statement = "alter table " ~ relation ~ " " ~ change -%}
        {%- do (demands if demands_rows and later else changes).append(said_of(relation, statement) if retypes else statement) -%}
    {%- endfor -%}
    {%- set views = dependent_views(relation) if found.rows | selectattr(1) | list else [] -%}
    {%- for view in views | reverse %}{% do run_query("drop view " ~ view.name) %}{% endfor -%}
    {%- for change in changes %}{% do run_query(change) %}{% endfor -%}
    {%- for view in views %}{% do run_query(view.definition) %}{% endfor -%}
    {{ return(demands) }}
{%- endmacro %}


{#- A change of type with an error that names the table and the change: PostgreSQL itself names only the value that cannot be cast. -#}
{% macro said_of(relation, statement) -%}
    do $change$
    begin
        {{ statement }};
    exception when others then
        raise exception using
            errcode = sqlstate, message = format('%s (%s)', sqlerrm, {{ dbt.string_literal(dbt.escape_single_quotes(statement)) }});
    end
    $change$
{%- endmacro %}


{#- What no migration does by itself: rows would be lost, or their identity changed. -#}
{% macro contract_refusals(relation, contract) -%}
    select 'its column ' || old.attname || ' is not in the contract. If it is really to go: alter table {{ relation }} drop column '
        || old.attname
    from pg_attribute as old
    where old.attrelid = '{{ relation }}'::regclass and old.attnum > 0 and not old.attisdropped
        and not exists (
            select 1 from pg_attribute as new where new.attrelid = '{{ contract }}'::regclass and new.attname = old.attname
        )
    union all
    select format('its key is %s, that of the contract %s. Drop the table and build it again', old.definition, new.definition)
    from (select max(pg_get_constraintdef(oid)) as definition from pg_constraint
        where conrelid = '{{ relation }}'::regclass and contype = 'p') as old
    cross join (select max(pg_get_constraintdef(oid)) as definition from pg_constraint
        where conrelid = '{{ contract }}'::regclass and contype = 'p') as new
    where old.definition is distinct from new.definition
{%- endmacro %}


{#- Rows of (whether it demands something of every row, whether it changes a type, what to alter), in the order to be run. -#}
{% macro contract_changes(relation, contract) -%}
    with columns_of as (
        select attrelid, attname, format_type(atttypid, atttypmod) as type, attnotnull, attnum
        from pg_attribute
        where attrelid in ('{{ relation }}'::regclass, '{{ contract }}'::regclass) and attnum > 0 and not attisdropped
    ),

    checks_of as (
        select conrelid, conname, pg_get_constraintdef(oid) as definition
        from pg_constraint
        where conrelid in ('{{ relation }}'::regclass, '{{ contract }}'::regclass) and contype = 'c'
    ),

    new as (select * from columns_of where attrelid = '{{ contract }}'::regclass),
    old as (select * from columns_of where attrelid = '{{ relation }}'::regclass),
    new_checks as (select * from checks_of where conrelid = '{{ contract }}'::regclass),
    old_checks as (select * from checks_of where conrelid = '{{ relation }}'::regclass)

    select demands_rows, retypes, change
    from (
        select 1 as step, 0 as place, false as demands_rows, false as retypes, format('drop constraint %I', conname) as change
        from old_checks
        where definition not in (select definition from new_checks)
        union all
        select 2, new.attnum, false, false, format('add column %I %s', new.attname, new.type)
        from new
        where new.attname not in (select attname from old)
        union all
        select 3, new.attnum, false, true, format('alter column %1$I type %2$s using %1$I::%2$s', new.attname, new.type)
        from new
        inner join old on new.attname = old.attname
        where new.type <> old.type
        union all
        select
            4, new.attnum, new.attnotnull, false,
            format('alter column %I %s not null', new.attname, case when new.attnotnull then 'set' else 'drop' end)
        from new
        left join old on new.attname = old.attname
        where new.attnotnull <> coalesce(old.attnotnull, false)
        union all
        select 5, 0, true, false, 'add ' || definition
        from new_checks
        where definition not in (select definition from old_checks)
    ) as found
    order by step, place, change
{%- endmacro %}


{#- The views that read a relation, each after those that it reads itself, with what makes it again: definition, options, rights, comments. -#}
{% macro dependent_views(relation) -%}
    {%- set query -%}
        with recursive readers (oid, depth) as (
            select '{{ relation }}'::regclass::oid, 0
            union
            select rewritten.ev_class, readers.depth + 1
            from readers
            inner join pg_depend as depends
                on depends.refobjid = readers.oid and depends.refclassid = 'pg_class'::regclass
                and depends.classid = 'pg_rewrite'::regclass
            inner join pg_rewrite as rewritten on depends.objid = rewritten.oid and rewritten.ev_class <> readers.oid
        )

        select
            view.oid::regclass::text as name,
            format(
                'create view %s %s as %s', view.oid::regclass, 'with (' || array_to_string(view.reloptions, ', ') || ')',
                pg_get_viewdef(view.oid)
            ) || coalesce((
                select string_agg(
                    format('grant %s on %s to %s;', granted.privilege_type, view.oid::regclass,
                        case when granted.grantee = 0 then 'public' else granted.grantee::regrole::text end), ' '
                )
                from aclexplode(view.relacl) as granted
                where granted.grantee <> view.relowner
            ), '') || coalesce((
                select string_agg(
                    case when said.objsubid = 0 then format('comment on view %s is %L;', view.oid::regclass, said.description)
                        else format('comment on column %s.%I is %L;', view.oid::regclass, of_view.attname, said.description) end,
                    ' ' order by said.objsubid
                )
                from pg_description as said
                left join pg_attribute as of_view on said.objoid = of_view.attrelid and said.objsubid = of_view.attnum
                where said.objoid = view.oid and said.classoid = 'pg_class'::regclass
            ), '') as definition
        from pg_class as view
        inner join (select oid, max(depth) as depth from readers group by oid) as reader on view.oid = reader.oid
        where view.relkind = 'v'
        order by reader.depth
    {%- endset -%}
    {%- set views = [] -%}
    {%- for name, definition in run_query(query).rows %}{% do views.append({'name': name, 'definition': definition}) %}{% endfor -%}
    {{ return(views) }}
{%- endmacro %}


{#- Whoever drops a parent by hand, with cascade, drops the keys that point at it; they come back with the next run. -#}
{% macro restore_foreign_keys(relation) -%}
    {%- set wanted = model['constraints'] | selectattr('type', 'eq', 'foreign_key') | list -%}
    {%- set present = foreign_keys_of(relation) -%}
    {%- if present | length < wanted | length -%}
        {%- for name in present -%}
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


{#- An index that is new in the configuration reaches a table that exists. One that has gone from it stays. -#}
{% macro add_indexes(relation) -%}
    {%- set wanted = config.get('indexes') or [] -%}
    {%- if wanted -%}
        {%- set query -%}
            select string_agg(attribute.attname, ',' order by place.position) || case when index.indisunique then ' unique' else '' end
            from pg_index as index
            cross join lateral unnest(index.indkey::smallint[]) with ordinality as place (attnum, position)
            join pg_attribute as attribute on attribute.attrelid = index.indrelid and attribute.attnum = place.attnum
            where index.indrelid = '{{ relation }}'::regclass
            group by index.indexrelid, index.indisunique
        {%- endset -%}
        {%- set present = run_query(query).columns[0].values() | list -%}
        {%- for index in wanted if index.columns | join(',') ~ (' unique' if index.unique else '') not in present -%}
            {% do run_query(get_create_index_sql(relation, index)) %}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
