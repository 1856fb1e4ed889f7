-- A mix with more sun than the sun can give says nothing true of the other fuels either.
with judged as (
    select *
    from {{ ref('stg_carbon_intensity__generation') }}
    cross join lateral (
        -- a share of 5 % is below the bound at any hour. `offset 0`: computed once, not for every column
        select case
            when solar > 5 then {{ is_beyond_the_sun('solar', 'period_start', 'period_end') }} else false
        end as is_sunless
        from (values (1)) as once (n)
        offset 0
    ) as sun
)

select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    period_end,
    {{ measured_mix('is_mix and not is_sunless') }},
    case
        when is_sunless then 'more solar than the sun can give'
        when period_start is not null and is_mix is not true then 'mix does not add up to 100 %'
    end as fault
from judged
