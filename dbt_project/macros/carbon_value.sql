{#- GBP per kilogram of CO2 equivalent: the setting CARBON_VALUE_GBP_TONNE, which the service reads too; `make env` exports it. -#}
{% macro carbon_value_gbp_kg() -%}
    {{ (env_var('CARBON_VALUE_GBP_TONNE') | float) / 1000 }}
{%- endmacro %}
