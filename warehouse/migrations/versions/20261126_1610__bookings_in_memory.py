"""What a process of the service asks to keep in memory what is taken: all of it once, then what has changed."""

from alembic import op
from sqlalchemy import text

revision = "20261126_1610"
down_revision = "20261126_1600"

SERVICE = "energy_service"
# A security definer sees the bookings of every operator and tells nothing of them but how much power they take, where and when.
FUNCTIONS = """
create function app.bookings_now(from_instant timestamptz)
returns table (venue text, instants float8[], changes_kw float8[])
language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    return query
        with booked as materialized (
            select step.venue, greatest(step.starts_at, from_instant) as starts_at, step.ends_at, step.power_kw
            from app.placement_steps as step
            where step.released_at is null and step.run_ends_at > from_instant and step.ends_at > from_instant
        ),
        changed as (
            select change.venue, change.instant, sum(change.kw) as kw
            from (
                select booked.venue, booked.starts_at as instant, booked.power_kw as kw from booked
                union all
                select booked.venue, booked.ends_at, - booked.power_kw from booked
            ) as change
            group by change.venue, change.instant
        )
        select changed.venue, array_agg(extract(epoch from changed.instant)::float8 order by changed.instant),
            array_agg(changed.kw::float8 order by changed.instant)
        from changed group by changed.venue;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
end
$$;
comment on function app.bookings_now(timestamptz) is
    'By how much the power that is taken of each venue changes, and when (seconds since 1970), from an instant on.';

create function app.last_booking(released_after timestamptz, out booking_number bigint, out released bigint[])
language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    select coalesce(max(placement.booking_number), 0) into last_booking.booking_number from app.workload_placements as placement;
    select coalesce(array_agg(placement.booking_number), '{}') into last_booking.released
    from app.workload_placements as placement where placement.released_at > released_after;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
end
$$;
comment on function app.last_booking(timestamptz) is 'The highest number of a booking, and the bookings released after an instant.';

create function app.bookings_since(number bigint, released_after timestamptz)
returns table (venue text, booking_number bigint, starts float8, ends float8, power_kw float8, is_released boolean)
language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    return query
        select step.venue, step.booking_number, extract(epoch from step.starts_at)::float8,
            extract(epoch from step.ends_at)::float8, step.power_kw::float8, step.released_at is not null
        from app.placement_steps as step
        where step.booking_number > number
        union all
        select step.venue, step.booking_number, extract(epoch from step.starts_at)::float8,
            extract(epoch from step.ends_at)::float8, step.power_kw::float8, true
        from app.placement_steps as step
        where step.released_at > released_after and step.booking_number <= number;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
end
$$;
comment on function app.bookings_since(bigint, timestamptz) is
    'Stretches of constant power of the bookings above a number, and of those up to it that were released after an instant.';
revoke execute on function app.bookings_now(timestamptz), app.last_booking(timestamptz), app.bookings_since(bigint, timestamptz)
    from public;
"""
GRANT = """
grant execute on function app.bookings_now(timestamptz), app.last_booking(timestamptz), app.bookings_since(bigint, timestamptz)
    to energy_service
"""
ROLES = "select rolname from pg_roles where rolname = :role and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """Functions that the service of this version calls."""
    op.execute(FUNCTIONS)
    if op.get_bind().scalar(text(ROLES), {"role": SERVICE}):
        op.execute(GRANT)


def downgrade() -> None:
    """The service of the version before reads all bookings for each batch."""
    op.execute("drop function app.bookings_now, app.last_booking, app.bookings_since")
