-- A national actual of 0 is a fault of the upstream: GB has never been without a gram.
-- `sent_gco2_kwh` is the forecast as it came, so that its neighbours are compared with it even if it is NULL here.
with unpacked as (
    select
        {{ provenance() }},
        (record ->> 'from')::timestamptz as period_start,
        (record ->> 'to')::timestamptz as period_end,
        (record -> 'intensity' ->> 'forecast')::integer as forecast,
        (record -> 'intensity' ->> 'actual')::integer as actual
    from {{ records('carbon_intensity__national', at='data') }}
)

select
    {{ provenance('unpacked') }},
    unpacked.period_start,
    unpacked.period_end,
    possible.forecast_gco2_kwh,
    unpacked.forecast as sent_gco2_kwh,
    possible.actual_gco2_kwh,
    {{ intensity_index('coalesce(possible.actual_gco2_kwh, possible.forecast_gco2_kwh)', 'bands') }} as intensity_index,
    {{ fault(
        "when unpacked.actual = 0 then 'actual of 0'",
        outside('actual', 'unpacked.actual', 'actual_gco2_kwh'),
        outside('forecast', 'unpacked.forecast', 'intensity_gco2_kwh'),
    ) }}
from unpacked
cross join lateral (
    select
        ({{ within('unpacked.forecast', 'intensity_gco2_kwh') }})::smallint as forecast_gco2_kwh,
        ({{ within('unpacked.actual', 'actual_gco2_kwh') }})::smallint as actual_gco2_kwh
) as possible
{{ join_intensity_bands('unpacked.period_start') }}
