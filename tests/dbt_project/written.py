"""What a clean table makes of unpacked rows, without publishing them: its own SQL, and the checks of its contract."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flows.dbt_runner import Dbt
from tests.dbt_project.test_commands import DBT_TARGET, dbt
from tests.energy import Energy
from warehouse.database import Role

THESE = uuid.UUID(int=13)
"""Stands for the payloads in the compiled SQL."""


@dataclass(frozen=True)
class Table:
    """A `keyed_table`: where it is, its columns, and the query that its rows come from, of the payloads `{ids}`."""

    name: str
    columns: Sequence[str]
    query: str

    def write(self, energy: Energy, ids: Sequence[uuid.UUID]) -> int:
        """Write the rows of these payloads to a copy of the table; returns how many there are.

        Raises psycopg.DataError or psycopg.IntegrityError if a cast, a NOT NULL or a CHECK refuses one.
        """
        columns = ", ".join(self.columns)
        listed = ",".join(map(str, ids))
        with energy.database.connect(role=Role.TRANSFORMER) as connection, connection.transaction(force_rollback=True):
            connection.execute("set local enable_memoize = off")  # as dbt does where it unpacks JSON
            connection.execute(f"create temporary table trial (like {self.name} including constraints)")
            return connection.execute(
                f"insert into trial ({columns}) select {columns} from ({self.query.replace(str(THESE), listed)}) as each"
            ).rowcount


def tables(energy: Energy) -> dict[str, list[Table]]:
    """By dataset: the tables that its payloads are written to. Every row is tried, not only the one that wins its key."""
    runner = Dbt(energy.database, energy.data_dir)
    consumers = runner.facts().consumers()
    runner.close()
    names = sorted({node.name for nodes in consumers.values() for node in nodes})
    dbt(energy, "compile", "--full-refresh", "--vars", f'{{only_payloads: ["{THESE}"]}}', "-s", *names)
    found: dict[str, list[Table]] = {}
    for dataset, nodes in consumers.items():
        for node in nodes:
            query = (DBT_TARGET / "compiled" / "energy" / node.original_file_path).read_text()
            if str(THESE) in query:
                every_row = re.sub(r"select distinct on \([^)]*\)", "select", query)
                found.setdefault(dataset, []).append(Table(f"{node.schema}.{node.name}", list(node.columns), every_row))
    return found
