{{ config(meta={'security_invoker': true}) }}
{%- set policies = {'start now': 'at_once', 'plan once': 'first_plan', 'as run': 'realised', 'oracle': 'foresight'} -%}
-- Each decision counts the same, whatever its energy: by kWh of work, of the completed ones that are known in full.
with ran as (
    select
        case carbon_to_cost_weight when 1 then 'carbon' when 0 then 'cost' else 'both' end as decided_by,
        chunks > 1 as is_split,
        job_hours,
        slack_hours,
        count(*) as decisions,
        count(*) filter (where is_final) as final_decisions,
        {%- for of in policies.values() %}
        sum({{ of }}_per_kwh) as {{ of }},
        {%- endfor %}
        sum(at_once_promised_per_kwh) filter (where first_promised_per_kwh is not null) as at_once_promised,
        sum(first_promised_per_kwh) filter (where at_once_promised_per_kwh is not null) as first_promised
    from {{ source('app', 'receipts') }}
    where is_newest and status = 'completed'
    {%- for of in policies.values() %}
        and {{ of }}_per_kwh is not null
    {%- endfor %}
    group by 1, 2, 3, 4
),

class as (
    select
        'receipts' as source,
        ran.decided_by,
        ran.is_split,
        ran.job_hours,
        ran.slack_hours,
        policy.name as policy,
        ran.decisions,
        ran.final_decisions,
        ran.at_once,
        policy.score,
        ran.foresight,
        case when policy.name = 'plan once' then ran.first_promised end as promised,
        ran.at_once_promised
    from ran
    cross join lateral (
        values
        {%- for name, of in policies.items() %}
        ('{{ name }}', ran.{{ of }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as policy (name, score)
    union all
    select
        'replay of ' || forecasts || ' forecasts' as source,
        case carbon_to_cost_weight when 1 then 'carbon' when 0 then 'cost' else 'both' end as decided_by,
        is_split,
        job_hours,
        -- the class of the same name in receipts: what is left of the time once the work is done
        (
            select min(class.hours) from unnest('{0,6,12,24,48,168,8760}'::smallint[]) as class (hours)
            where class.hours >= slack_hours - job_hours
        ) as slack_hours,
        policy,
        sum(decisions) as decisions,
        sum(decisions) as final_decisions,
        sum(now_score) as at_once,
        sum(realised_score) as score,
        sum(oracle_score) as foresight,
        case when sum(promises) > 0 then sum(promised_score) end as promised,
        sum(promised_now_score) as at_once_promised
    from {{ source('ops', 'replay_decisions') }}
    group by 1, 2, 3, 4, 5, 6
)

select
    source,
    decided_by,
    is_split,
    job_hours,
    slack_hours,
    policy,
    decisions::bigint as decisions,
    final_decisions::bigint as final_decisions,
    case when at_once_promised > 0 then round((100 * (1 - promised / at_once_promised))::numeric, 3) end as promised_saving_pct,
    case when at_once > 0 then round((100 * (1 - score / at_once))::numeric, 3) end as realised_saving_pct,
    -- where even foresight saves nothing there is nothing to capture
    case
        when at_once - foresight > 1e-9 then round((100 * (at_once - score) / (at_once - foresight))::numeric, 3)
    end as captured_pct,
    case when foresight > 0 then round((100 * (score / foresight - 1))::numeric, 3) end as regret_pct
from class
