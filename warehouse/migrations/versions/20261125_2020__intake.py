"""Intake: an answer is kept as it was sent; a domain belongs to one operator; a user is its operator's."""

from alembic import op

revision = "20261125_2020"
down_revision = "20261125_2005"

ANSWERS = """
-- jsonb would put the fields of an answer into an order of its own: what is answered again is answered alike
alter table app.compute_workloads alter column answer type json using answer::text::json;
alter table app.compute_workloads add check (json_typeof(answer) = 'object');
"""


USERS = """
-- one address under two operators is two users: neither operator can tell whether the other has it, nor take it away
alter table app.users drop constraint users_email_key;
alter table app.users add unique (operator_id, email);
create index on app.users (email);
comment on table app.users is 'One row is a person or program that submits workloads under an operator, by e-mail address.';

create or replace function app.link_user(
    address text, full_name text, of_operator uuid,
    out user_id uuid, out is_new boolean, out preferences jsonb, out failure text
) language plpgsql set lock_timeout = '2s' as $$
begin
    insert into app.users as known (email, name, operator_id) values (address, full_name, of_operator)
    on conflict (operator_id, email) do nothing returning known.user_id, known.preferences into user_id, preferences;
    is_new := user_id is not null;
    if user_id is null then
        select known.user_id, known.preferences into user_id, preferences from app.users as known
        where known.email = address and known.operator_id = of_operator;
    end if;
exception when others then
    user_id := null;
    is_new := false;
    failure := 'user tracking is not available';
end
$$;
comment on function app.link_user(text, text, uuid) is
    'The user of an address under an operator, made if need be. On an error the caller''s transaction goes on, and the result says so.';
"""

DOMAINS = """
create function app.keep_domains_apart() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    is_taken boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('app domains', 0));
    perform set_config('energy.operator_id', 'all', true);
    select exists (
        select from app.operators as other
        where other.operator_id <> new.operator_id and other.email_domains && new.email_domains
    ) into is_taken;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if is_taken then
        raise exception 'one of these domains belongs to another operator'
            using errcode = 'unique_violation', constraint = 'operators_one_domain';
    end if;
    return new;
end
$$;
revoke execute on function app.keep_domains_apart() from public;
create trigger operators_one_domain before insert or update of email_domains on app.operators
    for each row when (new.email_domains <> '{}') execute function app.keep_domains_apart();
comment on trigger operators_one_domain on app.operators is 'A domain belongs to one operator: the first that names it.';
"""


def upgrade() -> None:
    """Change what the service of this version needs."""
    op.execute(ANSWERS)
    op.execute(USERS)
    op.execute(DOMAINS)


def downgrade() -> None:
    """Not offered: one address may have become a user of each of several operators."""
    raise RuntimeError("users of several operators are not made one again")
