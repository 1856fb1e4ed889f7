"""Work that is over with its receipts, and years of requests: what grows for ever, and what no read may cost by."""

import time

from benchmarks.bench import say
from warehouse.database import Database

FINISHED, USERS, YEARS = 100_000, 1_000, 3
# As the owner and without triggers: a finished workload is otherwise made in four steps.
FILL = """
set local session_replication_role = replica;
insert into app.operators (name, operator_type) values ('Worked', 'cloud') on conflict do nothing;
insert into app.users (email, operator_id)
select 'user' || n || '@example.com', operator_id from app.operators, generate_series(1, %(users)s) as n where name = 'Worked';
create temp table made on commit drop as
select gen_random_uuid() as workload_id, gen_random_uuid() as placement_id, operator_id, user_id, n, 1 + n %% 14 as region_id,
    now() - n * interval '15 minutes' as at
from app.operators
join (select user_id, operator_id, row_number() over () as number from app.users) as person using (operator_id)
join generate_series(1, %(finished)s) as n on n %% %(users)s = number - 1
where name = 'Worked';
insert into app.compute_workloads (workload_id, operator_id, user_id, request, workload_type, energy_kwh, power_kw,
    duration_minutes, earliest_start, deadline, status, placement_id, actual_start, actual_end, actual_carbon_kg, actual_cost_gbp,
    created_at, answer)
select workload_id, operator_id, user_id, 'Train', 'training', 6.5, 6.5, 60, at, at + interval '3 days', 'completed', placement_id,
    at, at + interval '1 hour', 0.65, 0.5, at, json_build_object('an answer is so long', repeat('x', 900))
from made;
insert into app.workload_placements (placement_id, workload_id, operator_id, venue, region_id, starts_at, ends_at, power_kw,
    capacity_kw, energy_kwh, mean_intensity_gco2_kwh, carbon_kg, synthetic_share, known_at, released_at, placed_at,
    power_profile_kw)
select placement_id, workload_id, operator_id, 'region:' || operator_id || '/' || region_id, region_id, at, at + interval '1 hour',
    6.5, 1e9, 6.5, 100, 0.65, 0, at, at + interval '1 hour', at, case when n %% 20 = 0 then array[6.5, 6.5] end
from made;
insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw, profile_kw)
select placement_id, 1, operator_id, at, at + interval '1 hour', 6.5, case when n %% 20 = 0 then array[6.5, 6.5] end from made;
insert into app.receipts (workload_id, version, operator_id, status, placement_id, first_placement_id, region_id, first_region_id,
    began_at, ended_at, energy_kwh, work_kwh, duration_minutes, slack_minutes, carbon_to_cost_weight, carbon_value_gbp_tonne,
    first_promised_carbon_kg, at_once_promised_carbon_kg, realised_carbon_kg, at_once_carbon_kg, first_plan_carbon_kg,
    foresight_carbon_kg, half_hours, half_hours_without_intensity, half_hours_without_price, is_final, known_at, checked_at,
    spans_from, spans_to)
select workload_id, 1, operator_id, 'completed', placement_id, placement_id, region_id, region_id, at, at + interval '1 hour', 6.5,
    6.5, 30 * (1 + n %% 40), 60 * (n %% 30), 1, 100, 0.7, 0.9, 0.65, 1, 0.7, 0.6, 2, 0, 2, n %% 10 > 0, at, at, at,
    at + interval '1 hour'
from made;
insert into app.agent_negotiations (workload_id, operator_id, round, agent, stance, known_at, created_at)
select workload_id, operator_id, round, 'head', 'decided', at, at from made, generate_series(1, 3) as round;
insert into app.workload_counts select operator_id, count(*) from made group by 1;
insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, http_status, attempts, seconds,
    fetched_at)
select (select run_id from ops.runs limit 1), dataset, 'https://upstream.example/of/a/usual/length/2026-01-01T00:00Z/fw48h', at,
    at + interval '2 days', 'landed', 200, 1, 0.3, at
from (select distinct dataset from ops.fetches union select 'another ' || n from generate_series(1, 13) as n) as known,
    generate_series(now() - make_interval(years => %(years)s), now() - interval '1 hour', interval '30 minutes') as at;
"""


def work(database: Database) -> None:
    """Nearly three years: finished workloads of many users, their receipts and negotiations, and requests."""
    begun = time.perf_counter()
    with database.connect() as connection:
        with connection.transaction():
            for statement in (FILL % {"finished": FINISHED, "users": USERS, "years": YEARS}).split(";\n"):
                connection.execute(statement)
        connection.execute("vacuum analyze")
    say(f"{FINISHED:,} workloads of {USERS:,} users are over, after {time.perf_counter() - begun:.0f} s")
