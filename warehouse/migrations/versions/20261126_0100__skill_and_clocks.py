"""What `forecast_skill` now reads is summed from the tables, so no payload is unpacked again for it; a kind of incident, `clock`."""

from alembic import op

revision = "20261126_0100"
down_revision = "20261125_2030"

TABLES = ("int_forecast_skill__days", "int_forecast_skill__months")


KINDS = "'stopped', 'upstream', 'held', 'unpublished', 'behind'"


def upgrade() -> None:
    """Enter what is published as published to the new tables too (they are filled when dbt makes them); allow the kind."""
    op.execute("alter table ops.incidents drop constraint incidents_kind_check")
    op.execute(f"alter table ops.incidents add constraint incidents_kind_check check (kind in ({KINDS}, 'clock'))")
    op.execute(
        "comment on table ops.incidents is 'One row is something that went wrong for a while: stopped (nobody asks), upstream (no "
        "answer), held (quality gate), unpublished (answers wait), behind (the newest real half-hour is old), clock (times "
        "from the future).'"
    )
    for table in TABLES:
        op.execute(
            f"""
            do $$ begin
                if to_regclass('intermediate.published_payloads') is not null then
                    insert into intermediate.published_payloads (model_name, payload_id)
                    select distinct '{table}', payload_id from intermediate.published_payloads
                    on conflict do nothing;
                end if;
            end $$
            """
        )


def downgrade() -> None:
    """Forget the entries, and incidents of this kind."""
    op.execute("delete from ops.incidents where kind = 'clock'")
    op.execute("alter table ops.incidents drop constraint incidents_kind_check")
    op.execute(f"alter table ops.incidents add constraint incidents_kind_check check (kind in ({KINDS}))")
    for table in TABLES:
        op.execute(
            f"""
            do $$ begin
                if to_regclass('intermediate.published_payloads') is not null then
                    delete from intermediate.published_payloads where model_name = '{table}';
                end if;
            end $$
            """
        )
