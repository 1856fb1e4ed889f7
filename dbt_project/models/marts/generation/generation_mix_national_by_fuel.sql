select
    mix.period_start,
    mix.period_end,
    share.fuel,
    share.share_pct,
    mix.payload_id,
    mix.is_synthetic,
    mix.fetched_at,
    mix.updated_at
from {{ ref('generation_mix_national') }} as mix
cross join lateral (
    values
    {%- for fuel in fuels() %}
    ('{{ fuel }}'::text, mix.{{ fuel }}_pct){{ ',' if not loop.last }}
    {%- endfor %}
) as share (fuel, share_pct)
where share.share_pct is not null
