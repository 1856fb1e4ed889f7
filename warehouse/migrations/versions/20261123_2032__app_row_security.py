"""Who sees what of `app`: the service one operator at a time, dbt everything, `energy_reader` nothing."""

from alembic import op
from sqlalchemy import text

revision = "20261123_2032"
down_revision = "20261123_2031"

SERVICE, TRANSFORMER = "energy_service", "energy_transformer"
TABLES = ("operators", "users", "compute_assets", "compute_workloads", "workload_placements", "agent_negotiations")

FUNCTIONS = """
create function app.sees(row_of_operator uuid) returns boolean language sql stable parallel safe as $$
    select current_setting('energy.operator_id', true) in ('all', row_of_operator::text)
$$;
comment on function app.sees(uuid) is 'Whether this session speaks for that operator: energy.operator_id is its id, or all.';

create function app.tokens_like(beginning bytea) returns table (token_sha256 bytea, operator_id uuid, label text)
language sql stable security definer set search_path = '' as $$
    select token.token_sha256, token.operator_id, token.label
    from app.operator_tokens as token
    where substring(token.token_sha256 for 4) = substring(beginning for 4) and token.revoked_at is null
$$;
comment on function app.tokens_like(bytea) is
    'Tokens whose hash begins as this one; which it is, if any, the service decides in constant time.';

create function app.operator_for(email text) returns uuid language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    found_operator uuid;
begin
    perform set_config('energy.operator_id', 'all', true);
    select operator.operator_id into found_operator
    from app.operators as operator
    where split_part(email, '@', 2) = any(operator.email_domains) or operator.is_default
    order by split_part(email, '@', 2) = any(operator.email_domains) desc, operator.name
    limit 1;
    if found_operator is null then
        insert into app.operators as made (name, is_default) values ('Default operator', true)
        on conflict do nothing returning made.operator_id into found_operator;
    end if;
    if found_operator is null then  -- another transaction made it meanwhile
        select operator.operator_id into found_operator from app.operators as operator where operator.is_default;
    end if;
    perform set_config('energy.operator_id', speaks_for, true);
    return found_operator;
end
$$;
comment on function app.operator_for(text) is 'The operator that an address belongs to by its domain, else the default one, which is made if there is none.';

create function app.link_user(
    address text, full_name text, of_operator uuid,
    out user_id uuid, out is_new boolean, out preferences jsonb, out failure text
) language plpgsql set lock_timeout = '2s' as $$
begin
    insert into app.users as known (email, name, operator_id) values (address, full_name, of_operator)
    on conflict (email) do nothing returning known.user_id, known.preferences into user_id, preferences;
    is_new := user_id is not null;
    if user_id is null then
        select known.user_id, known.preferences into user_id, preferences from app.users as known
        where known.email = address and known.operator_id = of_operator;
        if user_id is null then
            failure := 'this address cannot be linked under this operator';
        end if;
    end if;
exception when others then
    user_id := null;
    is_new := false;
    failure := 'user tracking is not available';
end
$$;
comment on function app.link_user(text, text, uuid) is
    'The user of an address, made if need be. On an error the caller''s transaction goes on, and the result says so.';
"""


def upgrade() -> None:
    """Grants and policies. Where the roles do not exist, the user of the database is held to the same rows."""
    op.execute(FUNCTIONS)
    roles = set(
        op.get_bind().scalars(
            text(
                "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"
            )
        )
    )
    op.execute("alter table app.operator_tokens enable row level security")
    for table in TABLES:
        op.execute(f"alter table app.{table} enable row level security")
        if SERVICE in roles:
            op.execute(
                f"create policy one_operator on app.{table} to {SERVICE} "
                "using (app.sees(operator_id)) with check (app.sees(operator_id))"
            )
        else:  # then the service is the owner, for whom only a forced policy holds
            op.execute(f"alter table app.{table} force row level security")
            op.execute(
                f"create policy one_operator on app.{table} using (current_setting('energy.operator_id', true) is null "
                "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
            )
        if TRANSFORMER in roles:
            op.execute(f"create policy shaping on app.{table} for select to {TRANSFORMER} using (true)")
    if SERVICE in roles:
        op.execute(f"revoke create on schema app from {SERVICE}")
        op.execute(f"grant select, insert on all tables in schema app to {SERVICE}")
        op.execute(f"revoke all on app.operator_tokens from {SERVICE}")
        op.execute(f"grant update on app.users, app.compute_workloads, app.workload_placements to {SERVICE}")
    if TRANSFORMER in roles:
        op.execute(f"grant usage on schema app to {TRANSFORMER}")
        op.execute(f"grant select on {', '.join(f'app.{table}' for table in TABLES)} to {TRANSFORMER}")
    functions = (
        "app.lock_capacity(), app.capacity_taken(text[], timestamptz, timestamptz, timestamptz), app.sees(uuid), "
        "app.tokens_like(bytea), app.operator_for(text), app.link_user(text, text, uuid), app.step_of_status(), "
        "app.keep_rules_of_venue()"
    )
    op.execute(f"revoke execute on function {functions} from public")
    if SERVICE in roles:
        op.execute(f"grant execute on function {functions} to {SERVICE}")
    if TRANSFORMER in roles:
        op.execute(f"grant execute on function app.sees(uuid) to {TRANSFORMER}")


def downgrade() -> None:
    """Not offered: without it every operator's rows would be open to the service at once."""
    raise RuntimeError("row level security is not undone")
