"""How many workloads an operator has is kept, so that a read of it does not count them."""

from alembic import op
from sqlalchemy import text

revision = "20261126_2302"
down_revision = "20261126_2301"

# A statement adds a row and changes none, so that two submissions never wait for each other. Now and then the rows of an operator
# become one; rows that another transaction has taken for that are left to it.
TABLE = """
create table app.workload_counts (
    operator_id uuid not null references app.operators on delete cascade,
    workloads bigint not null
);
comment on table app.workload_counts is 'One row is how many workloads of an operator were added (or, below zero, removed); their sum is how many it has.';
create index on app.workload_counts (operator_id) include (workloads);
insert into app.workload_counts select operator_id, count(*) from app.compute_workloads group by 1;

create function app.count_workloads() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from app.workload_counts;
        return null;
    elsif tg_op = 'INSERT' then
        insert into app.workload_counts select operator_id, count(*) from those group by 1;
    else
        insert into app.workload_counts select operator_id, -count(*) from those group by 1;
    end if;
    if random() < 0.02 then
        with gone as (
            delete from app.workload_counts where ctid = any(array(
                select ctid from app.workload_counts
                where operator_id in (select operator_id from those)
                for update skip locked
            ))
            returning operator_id, workloads
        )
        insert into app.workload_counts select operator_id, sum(workloads) from gone group by 1;
    end if;
    return null;
end
$$;
revoke execute on function app.count_workloads() from public;
create trigger workloads_are_counted_in after insert on app.compute_workloads
    referencing new table as those for each statement execute function app.count_workloads();
create trigger workloads_are_counted_out after delete on app.compute_workloads
    referencing old table as those for each statement execute function app.count_workloads();
create trigger workloads_are_counted_anew after truncate on app.compute_workloads
    for each statement execute function app.count_workloads();
"""
ROLES = "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """Count what is there, once."""
    op.execute(TABLE)
    roles = set(op.get_bind().scalars(text(ROLES)))
    op.execute("alter table app.workload_counts enable row level security")
    if "energy_service" in roles:
        op.execute(
            "create policy one_operator on app.workload_counts for select to energy_service using (app.sees(operator_id))"
        )
        op.execute("grant select on app.workload_counts to energy_service")
    else:  # then the service is the owner, for whom only a forced policy holds
        op.execute("alter table app.workload_counts force row level security")
        op.execute(
            "create policy one_operator on app.workload_counts using (current_setting('energy.operator_id', true) is null "
            "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
        )
    if "energy_transformer" in roles:
        op.execute("create policy shaping on app.workload_counts for select to energy_transformer using (true)")
        op.execute("grant select on app.workload_counts to energy_transformer")


def downgrade() -> None:
    """They are counted at each read again."""
    op.execute("drop trigger workloads_are_counted_in on app.compute_workloads")
    op.execute("drop trigger workloads_are_counted_out on app.compute_workloads")
    op.execute("drop trigger workloads_are_counted_anew on app.compute_workloads")
    op.execute("drop function app.count_workloads")
    op.execute("drop table app.workload_counts")
