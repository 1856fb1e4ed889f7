{#-
At the end of each run: every table and view of the project that the run did not touch is still there, and so is every
foreign key of a contract. PostgreSQL drops both silently with what they depend on; this says so aloud.
-#}
{% macro require_nothing_vanished() -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'seed') -%}
        {%- set missing = [] -%}
        {%- for result in results if result.status | string in ('error', 'skipped') -%}
            {%- do missing.append(result.node.unique_id) -%}
        {%- endfor -%}
        {%- if not missing -%}
            {%- set lacking = foreign_keys_lacking() -%}
            {%- if lacking -%}
                {% do exceptions.raise_compiler_error(
                    "Foreign keys of the contract are not in the database: " ~ lacking | join('; ')
                ) %}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro foreign_keys_lacking() -%}
    {%- set lacking = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'keyed_table' -%}
        {%- set wanted = node.constraints | selectattr('type', 'in', ['foreign_key']) | list | length -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias or node.name) -%}
        {%- if wanted and relation is not none -%}
            {%- set found = run_query(
                "select count(*) from pg_constraint where contype = 'f' and conrelid = '" ~ relation ~ "'::regclass"
            ).rows[0][0] -%}
            {%- if found < wanted -%}
                {%- do lacking.append(relation ~ ' has ' ~ found ~ ' of ' ~ wanted) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lacking) }}
{%- endmacro %}
