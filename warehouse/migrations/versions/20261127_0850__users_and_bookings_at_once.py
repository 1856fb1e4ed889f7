"""The users of a batch are linked in two statements; what must hold of a booking is looked at in one."""

from alembic import op

revision = "20261127_0850"
down_revision = "20261127_0700"

# In the order of their addresses, so that two batches of the same users wait for each other and never in a circle. If that fails, or
# somebody keeps one of them waiting, each is linked by itself, as before: then only that one goes without its user.
LINK = """
create or replace function app.link_users(addresses text[], full_names text[], of_operator uuid)
returns table (user_id uuid, is_new boolean, preferences jsonb, failure text)
language plpgsql as $$
declare
    ends constant timestamptz := clock_timestamp() + interval '2 seconds';
    waits constant text := current_setting('lock_timeout');
    left_ms integer;
    made text[];
begin
    begin
        perform set_config('lock_timeout', '500ms', true);
        with added as (
            insert into app.users as known (email, name, operator_id)
            select given.address, given.full_name, of_operator
            from (
                select distinct on (one.address) one.address, one.full_name
                from unnest(addresses, full_names) with ordinality as one (address, full_name, place)
                order by one.address, one.place
            ) as given
            on conflict (operator_id, email) do nothing
            returning known.email
        )
        select coalesce(array_agg(added.email), '{}') into made from added;
    exception when others then
        made := null;
    end;
    if made is not null then
        perform set_config('lock_timeout', waits, true);
        return query
            select
                known.user_id, fresh.email is not null and one.place = min(one.place) over (partition by one.address),
                known.preferences, case when known.user_id is null then 'user tracking is not available' end
            from unnest(addresses) with ordinality as one (address, place)
            left join unnest(made) as fresh (email) on fresh.email = one.address
            left join app.users as known on known.operator_id = of_operator and known.email = one.address
            order by one.place;
        return;
    end if;
    for place in 1 .. cardinality(addresses) loop
        user_id := null;
        is_new := false;
        preferences := null;
        failure := 'user tracking is not available';
        left_ms := extract(epoch from ends - clock_timestamp()) * 1000;
        if left_ms > 0 then
            begin
                perform set_config('lock_timeout', left_ms || 'ms', true);
                insert into app.users as known (email, name, operator_id)
                values (addresses[place], full_names[place], of_operator)
                on conflict (operator_id, email) do nothing
                returning known.user_id, known.preferences into user_id, preferences;
                is_new := user_id is not null;
                if user_id is null then
                    select known.user_id, known.preferences into user_id, preferences from app.users as known
                    where known.email = addresses[place] and known.operator_id = of_operator;
                end if;
                failure := null;
            exception when others then
                user_id := null;
                is_new := false;
            end;
        end if;
        return next;
    end loop;
    perform set_config('lock_timeout', waits, true);
end
$$;
"""

# An assignment costs a tenth of a `perform`, and this runs twice for each submission.
HOLDS = """
create or replace function app.booking_holds() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    speaks text;
    holds record;
begin
    speaks := set_config('energy.operator_id', 'all', true);
    select workload.status, workload.placement_id, booked.placement_id as booked into holds
    from app.compute_workloads as workload
    left join app.workload_placements as booked
        on booked.workload_id = workload.workload_id and booked.released_at is null
    where workload.workload_id = new.workload_id;
    speaks := set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if holds.status is null then  -- it was deleted, and its placements with it
        return null;
    end if;
    if holds.status in ('scheduled', 'running') and holds.booked is distinct from holds.placement_id then
        raise exception 'a workload that is % holds the placement that it names, and that one is its own', holds.status
            using errcode = 'check_violation', constraint = 'workload_booking';
    end if;
    if holds.status in ('scheduled', 'running') and holds.booked is null then
        raise exception 'a workload that is % has a placement', holds.status
            using errcode = 'check_violation', constraint = 'workload_booking';
    end if;
    if holds.status not in ('scheduled', 'running') and holds.booked is not null then
        raise exception 'a workload that is % holds no placement', holds.status
            using errcode = 'check_violation', constraint = 'workload_booking';
    end if;
    return null;
end
$$;
"""


def upgrade() -> None:
    """The same rules, the same rows and the same words."""
    op.execute(LINK)
    op.execute(HOLDS)


def downgrade() -> None:
    """Nothing: the service of the version before calls the same functions, and they answer the same."""
