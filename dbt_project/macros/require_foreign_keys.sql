{#- At the end of each run every foreign key of the tables that it built is there: PostgreSQL drops them silently. -#}
{% macro require_foreign_keys() -%}
    {%- if execute and flags.WHICH in ('run', 'build') -%}
        {%- set failed = results | map(attribute='status') | map('string') | select('in', ['error', 'skipped']) | list -%}
        {%- set lacking = [] if failed else foreign_keys_lacking(results | map(attribute='node') | list) -%}
        {%- if lacking -%}
            {% do exceptions.raise_compiler_error(
                "Foreign keys of the contract are not in the database: " ~ lacking | join('; ')
                ~ ". Run the tables that lack them; dbt adds the keys again."
            ) %}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro foreign_keys_lacking(nodes) -%}
    {%- set lacking = [] -%}
    {%- for node in nodes if node.config.materialized == 'keyed_table' -%}
        {%- set wanted = node.constraints | selectattr('type', 'in', ['foreign_key']) | list | length -%}
        {%- set relation = adapter.get_relation(node.database, node.schema, node.alias or node.name) -%}
        {%- if wanted and relation is not none -%}
            {%- set found = foreign_keys_of(relation) | length -%}
            {%- if found < wanted -%}
                {%- do lacking.append(relation ~ ' has ' ~ found ~ ' of ' ~ wanted) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lacking) }}
{%- endmacro %}
