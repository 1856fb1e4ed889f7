{{ config(
    materialized='keyed_table',
    unique_key=['settlement_date', 'series', 'region_id', 'forecast_type', 'lead_hours'],
    meta={'replaces': true, 'follows': skill_tables()},
) }}
-- Only the days that new rows cover are summed again, so the cost does not grow with history. A day is an array of outcomes,
-- laid beside the part of each capture that covers it.
with spoken_of as (
    {%- if is_rebuild() %}
    select distinct {{ settlement_date('period_start') }} as settlement_date from {{ ref('int_forecast_skill__outcomes') }}
    {%- else %}
    {%- for dataset in datasets_of(model) %}
    select {{ settlement_date('period_start') }} as settlement_date
    from {{ published_rows(dataset) }} as {{ dataset }}
    where period_start is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
    {%- endif %}
),

days as (
    select
        settlement_date,
        {{ settlement_day_start('settlement_date') }} as starts_at,
        {{ settlement_day_start('settlement_date + 1') }} as ends_at
    from spoken_of
    where settlement_date is not null
),

-- of a day that nobody captured a forecast of, as of most that are filled in later, no outcome is read
captured as (
    select days.*
    from days
    where exists (
        select 1
        from {{ ref('int_forecast_skill__forecasts') }} as capture
        where {{ may_cover('days') }}
    )
),

outcomes as (
    select captured.settlement_date, outcome.series, outcome.region_id, outcome.period_start, outcome.outcome
    from captured
    cross join lateral (
        select series, region_id, period_start, outcome
        from {{ ref('int_forecast_skill__outcomes') }}
        where period_start >= captured.starts_at and period_start < captured.ends_at
        offset 0
    ) as outcome
),

measured as (
    select distinct settlement_date, series, region_id from outcomes
),

outcome_days as (
    select
        measured.settlement_date, measured.series, measured.region_id, days.starts_at, days.ends_at,
        array_agg(outcomes.outcome order by spine.period_start) as outcomes
    from measured
    inner join days on measured.settlement_date = days.settlement_date
    cross join lateral
        generate_series(days.starts_at, days.ends_at - interval '30 minutes', interval '30 minutes') as spine (period_start)
    left join outcomes
        on spine.period_start = outcomes.period_start
        and measured.series = outcomes.series
        and measured.region_id = outcomes.region_id
    group by measured.settlement_date, measured.series, measured.region_id, days.starts_at, days.ends_at
),

captures as (
    select days.settlement_date, capture.*
    from days
    cross join lateral (
        select
            series, region_id, forecast_type, known_at,
            greatest(first_period_start, days.starts_at) as first_start,
            forecasts[
                {{ half_hours_between('first_period_start', 'greatest(first_period_start, days.starts_at)') }} + 1:
                {{ half_hours_between('first_period_start', 'days.ends_at') }}
            ] as forecasts
        from {{ ref('int_forecast_skill__forecasts') }}
        where {{ may_cover('days') }}
            and first_period_start < days.ends_at
            and first_period_start + cardinality(forecasts) * interval '30 minutes' > days.starts_at
        offset 0
    ) as capture
),

summed as (
    select
        outcome_days.settlement_date,
        outcome_days.series,
        outcome_days.region_id,
        captures.forecast_type,
        greatest(0, floor(date_part(
            'epoch', captures.first_start + (pair.position - 1) * interval '30 minutes' - captures.known_at
        ) / 3600))::smallint as lead_hours,
        count(*) as forecasts,
        sum(pair.forecast - pair.outcome) as error_sum,
        sum(abs(pair.forecast - pair.outcome)) as absolute_error_sum,
        sum((pair.forecast - pair.outcome)::bigint * (pair.forecast - pair.outcome))::bigint as squared_error_sum
    from outcome_days
    inner join captures
        on outcome_days.settlement_date = captures.settlement_date
        and outcome_days.series = captures.series
        and outcome_days.region_id = captures.region_id
    cross join lateral unnest(
        captures.forecasts,
        outcome_days.outcomes[{{ half_hours_between('outcome_days.starts_at', 'captures.first_start') }} + 1:]
    ) with ordinality as pair (forecast, outcome, position)
    where pair.forecast is not null and pair.outcome is not null
    group by
        outcome_days.settlement_date, outcome_days.series, outcome_days.region_id, captures.forecast_type, lead_hours
)

{%- if is_rebuild() %}

select
    settlement_date, series, region_id, forecast_type, lead_hours, forecasts, error_sum, absolute_error_sum,
    squared_error_sum, false as is_closed, now() as updated_at
from summed
{%- else %},

known as (
    select kept.settlement_date, kept.series, kept.region_id, kept.forecast_type, kept.lead_hours, kept.is_closed
    from {{ this }} as kept
    inner join days on kept.settlement_date = days.settlement_date
),

-- what no longer has an outcome counts as nothing: a row is never deleted here
every_lead as (
    select settlement_date, series, region_id, forecast_type, lead_hours from summed
    union
    select settlement_date, series, region_id, forecast_type, lead_hours from known
)

select
    every_lead.settlement_date,
    every_lead.series,
    every_lead.region_id,
    every_lead.forecast_type,
    every_lead.lead_hours,
    coalesce(summed.forecasts, 0) as forecasts,
    coalesce(summed.error_sum, 0) as error_sum,
    coalesce(summed.absolute_error_sum, 0) as absolute_error_sum,
    coalesce(summed.squared_error_sum, 0) as squared_error_sum,
    false as is_closed,
    now() as updated_at
from every_lead
left join summed
    on every_lead.settlement_date = summed.settlement_date
    and every_lead.series = summed.series
    and every_lead.region_id = summed.region_id
    and every_lead.forecast_type = summed.forecast_type
    and every_lead.lead_hours = summed.lead_hours
where not exists (
    select 1 from known
    where known.settlement_date = every_lead.settlement_date
        and known.series = every_lead.series
        and known.region_id = every_lead.region_id
        and known.forecast_type = every_lead.forecast_type
        and known.is_closed
)
{%- endif %}
