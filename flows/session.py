"""One run of a flow: its database, its entry in the ledger, its checkpoints and its dbt, opened and closed together."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import runtime

from flows import clocks, temporary
from flows.dbt_runner import Dbt
from flows.run_log import is_tracked
from pipelines.settings import PipelineSettings
from warehouse import ledger
from warehouse.database import Database
from warehouse.prepare import prepare
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings

if TYPE_CHECKING:
    from checkpoints.suite import Suites


@dataclass
class Session:
    """What the steps of one run share."""

    database: Database
    run: ledger.Run
    dbt: Dbt
    now: datetime
    data_dir: Path
    upstreams: PipelineSettings
    _suites: "list[Suites]" = field(default_factory=list)

    @property
    def suites(self) -> "Suites":
        """The checkpoints' runner; made when it is first needed, because its library takes seconds to import."""
        if not self._suites:
            from checkpoints.suite import Suites

            self._suites.append(Suites(self.database))
        return self._suites[0]


@contextmanager
def session(flow: str, parameters: Mapping[str, Any], *, now: datetime | None = None) -> Iterator[Session]:
    """Open a run. dbt reads its project in the background, while the upstreams are being waited for."""
    # a wrong setting ends it here, before anything is done
    upstreams, settings = PipelineSettings(), WarehouseSettings()
    database = resolve(settings)
    prepare(database)
    clocks.agree(database)
    flow_run_id = UUID(runtime.flow_run.id) if is_tracked() else None
    with (
        temporary.inside(settings.data_dir),
        ledger.run(database, flow, parameters, prefect_flow_run_id=flow_run_id) as run,
    ):
        this = Session(
            database=database,
            run=run,
            dbt=Dbt(database, settings.data_dir),
            now=now or datetime.now(UTC),
            data_dir=settings.data_dir,
            upstreams=upstreams,
        )
        this.dbt.parse()
        try:
            if healed := clocks.heal(database):  # before anything is fetched, which then is newer
                run.summary |= {"clock": healed}
            yield this
        finally:
            this.dbt.close()
            for suites in this._suites:
                suites.close()
