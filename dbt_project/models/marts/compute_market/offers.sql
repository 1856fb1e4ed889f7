{{ config(
    materialized='keyed_table',
    unique_key=['offer_id', 'window_id', 'observed_at'],
    meta={'consumes': ['beckn__catalogue']},
    indexes=[{'columns': ['window_id']}],
) }}
-- A row when something changed. An offer that a later catalogue no longer has for a window gets a last row, withdrawn and
-- without a price.
-- depends_on: {{ ref('compute_windows') }}
with published as (
    select distinct on (window_id, fetched_at) * from {{ published_rows('beckn__catalogue') }} as published
    where window_id is not null
    order by window_id, fetched_at, payload_id desc
),

offered as (
    select distinct on (offer ->> 'beckn:id', published.window_id, published.fetched_at)
        offer ->> 'beckn:id' as offer_id,
        published.window_id,
        published.fetched_at as observed_at,
        (offer #>> '{beckn:price,value}')::numeric as price,
        offer #>> '{beckn:price,currency}' as currency,
        offer #>> '{beckn:offerAttributes,beckn:unit}' as unit,
        offer #>> '{beckn:offerAttributes,beckn:priceStability}' as price_stability,
        published.payload_id,
        published.is_synthetic
    from published
    cross join lateral jsonb_array_elements(coalesce(published.offers, '[]')) as offer
    order by offer ->> 'beckn:id', published.window_id, published.fetched_at, published.payload_id desc
),

ever as (
    select offer_id, window_id, is_synthetic from offered
    {%- if not is_rebuild() %}
    union
    select offer_id, window_id, is_synthetic from {{ this }}
    where window_id in (select published.window_id from published)
    {%- endif %}
),

observed as (
    -- each catalogue has every offer that was ever made for its windows, if only by leaving it out
    select
        ever.offer_id, ever.window_id, published.fetched_at as observed_at, offered.price, offered.currency, offered.unit,
        offered.price_stability, offered.offer_id is null as is_withdrawn, published.payload_id, published.is_synthetic,
        true as is_new
    from ever
    inner join published on ever.window_id = published.window_id and ever.is_synthetic = published.is_synthetic
    left join offered
        on ever.offer_id = offered.offer_id and ever.window_id = offered.window_id
        and published.fetched_at = offered.observed_at
    {%- if not is_rebuild() %}
    union all
    select
        offer_id, window_id, observed_at, price, currency, unit, price_stability, is_withdrawn, payload_id, is_synthetic,
        false as is_new
    from {{ this }}
    where window_id in (select published.window_id from published)
    {%- endif %}
),

compared as (
    select
        *,
        lag(row(price, currency, unit, price_stability, is_withdrawn)) over (
            partition by offer_id, window_id, is_synthetic order by observed_at, is_new
        ) as before
    from observed
)

select
    offer_id,
    window_id,
    observed_at,
    price,
    currency,
    unit,
    price_stability,
    is_withdrawn,
    payload_id,
    is_synthetic,
    observed_at as fetched_at,
    now() as updated_at
from compared
where is_new
    and row(price, currency, unit, price_stability, is_withdrawn) is distinct from before
    and not (is_withdrawn and before is null)
