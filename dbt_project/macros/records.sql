{#-
What every staging model begins with. A payload is one response; `records` gives one row per record of the array that the response
has at `at` (a path: 'data', 'result,records'), as `record` with its position `record_no`, from 1. A payload whose array is empty
gives one row without a record, so that it is known to be published.
-#}
{% macro records(dataset, at) -%}
    {{ payloads(dataset) }} as payload
    left join lateral jsonb_array_elements(payload.payload #> '{ {{- at -}} }')
        with ordinality as record_of (record, record_no) on true
{%- endmacro %}


{#- The table of the payloads of a dataset, `<source>__<name>`. -#}
{% macro payloads(dataset) -%}
    {%- set source_name, _, name = dataset.partition('__') -%}
    {{ return(source(source_name, name)) }}
{%- endmacro %}


{#-
When the upstream issued a row, or NULL: unknown, or later than an hour after it was fetched. A clock that is so far ahead would keep every
later row out; an hour is what London's clock may be off from UTC.
-#}
{% macro issued(instant) -%}
    case when {{ instant }} <= fetched_at + interval '1 hour' then {{ instant }} end
{%- endmacro %}


{#- Where a row comes from. `record` is as the upstream sent it; it is in the view alone, not in the pending rows. -#}
{% macro provenance(relation='payload', record='record') -%}
    {{ relation }}.payload_id,
    {% if relation == 'payload' %}payload.origin = 'synthetic' as is_synthetic{% else %}{{ relation }}.is_synthetic{% endif %},
    {{ relation }}.fetched_at,
    record_no,
    {{ record }}
{%- endmacro %}
