{{ config(
    materialized='keyed_table',
    unique_key=['window_id', 'observed_at'],
    meta={'consumes': ['beckn__catalogue']},
) }}
-- A row when something changed: what a catalogue says is compared with what the one before it said.
-- depends_on: {{ ref('compute_windows') }}
with observed as (
    select distinct on (window_id, fetched_at)
        window_id, fetched_at as observed_at, renewable_pct, carbon_intensity_gco2_kwh, available_capacity_mw, payload_id,
        is_synthetic, true as is_new
    from {{ published_rows('beckn__catalogue') }} as published
    where window_id is not null
    order by window_id, fetched_at, payload_id desc
),

known as (
    select * from observed
    {%- if not is_rebuild() %}
    union all
    select
        window_id, observed_at, renewable_pct, carbon_intensity_gco2_kwh, available_capacity_mw, payload_id, is_synthetic,
        false as is_new
    from {{ this }}
    where window_id in (select observed.window_id from observed)
    {%- endif %}
),

compared as (
    select
        *,
        lag(row(renewable_pct, carbon_intensity_gco2_kwh, available_capacity_mw)) over (
            partition by window_id, is_synthetic order by observed_at, is_new
        ) as before
    from known
)

select
    window_id,
    observed_at,
    renewable_pct,
    carbon_intensity_gco2_kwh,
    available_capacity_mw,
    payload_id,
    is_synthetic,
    observed_at as fetched_at,
    now() as updated_at
from compared
where is_new
    and (before is null or row(renewable_pct, carbon_intensity_gco2_kwh, available_capacity_mw) is distinct from before)
