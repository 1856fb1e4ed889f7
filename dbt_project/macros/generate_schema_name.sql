{#- On the warehouse each schema is named as it is configured; a personal target keeps all of them under its own name. -#}
{% macro generate_schema_name(custom_schema_name, node=none) -%}
    {%- if target.name == 'warehouse' -%}
        {{ custom_schema_name or target.schema }}
    {%- elif custom_schema_name is none or custom_schema_name == 'public' -%}
        {{ target.schema }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
