"""One staging model unpacks the payloads of a dataset; the views and tables of its three models of before are in its way."""

from alembic import op

revision = "20261126_1110"
down_revision = "20261126_1000"

# every view over payloads, and the tables of rows that waited; dbt makes the new ones with its next run
DROP = """
do $$
declare
    relation record;
begin
    for relation in
        select case relkind when 'v' then 'view' else 'table' end as kind, relname as name
        from pg_class
        where relnamespace = to_regnamespace('intermediate') and (
            relkind = 'v' and (relname like 'stg\\_%' or relname like 'int\\_%\\_rows')
            or relkind = 'r' and (relname like 'int\\_%\\_batch')
        )
    loop
        execute format('drop %s if exists intermediate.%I cascade', relation.kind, relation.name);
    end loop;
end $$
"""


def upgrade() -> None:
    """Nothing is lost: what the relations hold is read from the payloads."""
    op.execute(DROP)


def downgrade() -> None:
    """The same: dbt of the version before makes its relations again."""
    op.execute(DROP)
