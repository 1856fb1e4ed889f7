-- A mix with more sun than the sun can give says nothing true of the other fuels either.
with unpacked as (
    select
        {{ provenance() }},
        (record ->> 'from')::timestamptz as period_start,
        (record ->> 'to')::timestamptz as period_end,
        mix.*
    from {{ records('carbon_intensity__generation', at='data') }}
    left join lateral {{ unpacked_mix("record -> 'generationmix'") }} as mix on true
)

select
    {{ provenance('unpacked') }},
    period_start,
    period_end,
    {{ measured_mix('is_mix and not is_sunless') }},
    {{ fault(
        "when is_sunless then 'more solar than the sun can give'",
        "when period_start is not null and is_mix is not true then 'mix does not add up to 100 %'",
    ) }}
from unpacked
cross join lateral {{ sunless('solar', 'period_start', 'period_end') }} as sun
