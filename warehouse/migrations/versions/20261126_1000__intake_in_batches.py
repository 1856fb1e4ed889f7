"""Submissions come in batches: their users are linked in one call; and the newest workloads are found by an index."""

from alembic import op
from sqlalchemy import text

revision = "20261126_1000"
down_revision = "20261126_0100"

SERVICE = "energy_service"
LINK = """
create function app.link_users(addresses text[], full_names text[], of_operator uuid)
returns table (user_id uuid, is_new boolean, preferences jsonb, failure text)
language plpgsql as $$
declare
    ends constant timestamptz := clock_timestamp() + interval '2 seconds';
    waits constant text := current_setting('lock_timeout');
    left_ms integer;
begin
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
comment on function app.link_users(text[], text[], uuid) is
    'The users of these addresses under an operator, in the same order, made if need be. Whatever goes wrong with one, the '
    'transaction of the caller goes on, and the row says so. Waits for locks two seconds in all.';
drop function app.link_user(text, text, uuid);
revoke execute on function app.link_users(text[], text[], uuid) from public;
"""
NEWEST = "create index on app.compute_workloads (created_at desc, workload_id desc)"
# Same rows as before. Of an "in (...)" the planner expects one row in two hundred, and so sorts a whole table for its newest page.
SEES = """
create or replace function app.sees(row_of_operator uuid) returns boolean language sql stable parallel safe as $$
    select case
        when current_setting('energy.operator_id', true) = 'all' then true
        else row_of_operator::text = current_setting('energy.operator_id', true)
    end
$$
"""
ROLES = "select rolname from pg_roles where rolname = :role and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """One call for a batch instead of one for each address."""
    op.execute(LINK)
    op.execute(NEWEST)
    op.execute(SEES)
    if op.get_bind().scalar(text(ROLES), {"role": SERVICE}):
        op.execute(f"grant execute on function app.link_users(text[], text[], uuid) to {SERVICE}")


def downgrade() -> None:
    """Not offered: the service of the version before needs a function that is gone."""
    raise RuntimeError("app.link_user is not made again")
