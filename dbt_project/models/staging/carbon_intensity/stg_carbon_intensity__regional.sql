-- An intensity counts only if the mix of the same row can produce it: North Scotland on wind and hydro is 0; London on
-- biomass is not, nor is it 2 on gas. Such a row says nothing true of its mix either.
-- `sent_gco2_kwh` is the forecast as it came, so that its neighbours are compared with it even if it is NULL here.
-- Each `offset 0` has PostgreSQL compute a value once, not once for every column that rests on it.
with unpacked as (
    select
        {{ provenance(record="jsonb_build_object('from', record -> 'from', 'to', record -> 'to') || region.record_of_region as record") }},
        half_hour.period_start,
        half_hour.period_end,
        half_hour.most_solar,
        region.*
    from {{ records('carbon_intensity__regional', at='data') }}
    left join lateral (
        select
            period_start,
            period_end,
            -- a region may generate by little but sun; by night none does
            {{ most_solar('period_start', 'period_end', most=100) }} as most_solar
        from (
            select (record ->> 'from')::timestamptz as period_start, (record ->> 'to')::timestamptz as period_end
            from (values (1)) as once (n)
            offset 0
        ) as span
        offset 0
    ) as half_hour on true
    left join lateral (
        select
            each_region as record_of_region,
            (each_region ->> 'regionid')::smallint as region_id,
            (each_region -> 'intensity' ->> 'forecast')::integer as forecast,
            mix.*
        from jsonb_array_elements(record -> 'regions') as each_region
        cross join lateral {{ unpacked_mix("each_region -> 'generationmix'") }} as mix
        offset 0
    ) as region on true
),

checked as (
    select unpacked.*, found.*
    from unpacked
    cross join lateral (
        select
            faults.*,
            not (is_impossible or is_contradicted or is_sunless) as is_possible,
            is_mix and is_contradicted is not true and not is_sunless as is_mix_possible
        from (
            select
                coalesce(solar > most_solar, false) as is_sunless,
                {{ contradicts_its_mix('forecast') }} as is_contradicted,
                not {{ is_within('forecast', 'intensity_gco2_kwh') }} as is_impossible
            from (values (1)) as once (n)
            offset 0
        ) as faults
        offset 0
    ) as found
)

select
    {{ provenance('checked') }},
    checked.period_start,
    checked.period_end,
    checked.region_id,
    (case when checked.is_possible then checked.forecast end)::smallint as forecast_gco2_kwh,
    checked.forecast as sent_gco2_kwh,
    case when checked.is_possible then {{ intensity_index('checked.forecast', 'bands') }} end as intensity_index,
    {{ measured_mix('checked.is_mix_possible', 'checked.') }},
    {{ fault(
        "when checked.is_sunless then 'more solar than the sun can give'",
        "when checked.is_contradicted then 'intensity contradicted by its own mix'",
        outside('forecast', 'checked.forecast', 'intensity_gco2_kwh'),
        "when checked.period_start is not null and checked.is_mix is not true then 'mix does not add up to 100 %'",
    ) }}
from checked
{{ join_intensity_bands('checked.period_start') }}
