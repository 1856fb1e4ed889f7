{#-
A synthetic price gives way to a real one of any market, whichever came first: the result is the same in either order.
-#}
{% macro withdraw_synthetic_prices() -%}
    delete from {{ this }} as invented
    where invented.is_synthetic and exists (
        select 1 from {{ this }} as real
        where real.period_start = invented.period_start and not real.is_synthetic and real.price_gbp_mwh is not null
    )
{%- endmacro %}
