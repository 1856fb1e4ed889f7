{#- GBP/MWh; the cap on imbalance prices is 6,000, the day-ahead auctions stop at 4,000. -#}
{% macro most_price_gbp_mwh() -%}
    10000
{%- endmacro %}


{#-
A synthetic price gives way to a real one of any market, whichever came first: what stands is the same in either order.
-#}
{% macro withdraw_synthetic_prices() -%}
    delete from {{ this }} as invented
    where invented.is_synthetic and exists (
        select 1 from {{ this }} as real
        where real.period_start = invented.period_start and not real.is_synthetic and real.price_gbp_mwh is not null
    )
{%- endmacro %}


{#- A volume of a flexibility service, MW; NULL where it is more than Great Britain has. -#}
{% macro believable_volume(volume) -%}
    case when {{ volume }} between 0 and {{ most_demand_mw() }} then {{ volume }} end
{%- endmacro %}
