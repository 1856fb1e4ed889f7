{#- The columns are the key of the model: each is there, and no two rows have the same. Only a view needs it; a table has a primary key. -#}
{% test is_key(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 or num_nulls({{ columns | join(', ') }}) > 0
{% endtest %}
