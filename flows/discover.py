"""`discover-neso`: which datasets of NESO's portal are new since the last look."""

from typing import Any

from flows.outcome import flow, outcome, went_well
from flows.run_log import say
from flows.steps import step
from pipelines.collect import open_client
from pipelines.neso.discover import PortalDataset, PortalUnavailable, search
from pipelines.settings import PipelineSettings
from warehouse import command, ledger
from warehouse.database import Database
from warehouse.prepare import prepare
from warehouse.server import resolve


@flow(name="discover-neso")
def discover_neso() -> dict[str, Any]:
    """Look through everything that NESO's portal has and say which datasets are new."""
    settings, database = PipelineSettings(), resolve()
    prepare(database)
    with ledger.run(database, "discover-neso", {}) as run:
        try:
            datasets = look(database, settings)
        except PortalUnavailable as error:
            run.failures.append(f"NESO's portal cannot be read: {error}")
            say(f"FAILED: {run.failures[0]}", is_warning=True)
            return outcome(run.failures, new=[])
        titles = {dataset.name: dataset.title for dataset in datasets}
        fresh, is_first_look = run.note_portal_datasets("neso", titles)
        run.summary |= {"datasets": len(datasets), "new": sorted(fresh)}
        say(f"NESO's portal has {len(datasets)} datasets; {'all noted' if is_first_look else f'{len(fresh)} are new'}.")
        for name in [] if is_first_look else sorted(fresh):
            say(f"  new: {titles[name]} ({name})")
    return outcome([], new=[] if is_first_look else sorted(fresh))


@step("look through the portal")
def look(database: Database, settings: PipelineSettings) -> list[PortalDataset]:
    """Every dataset of the portal, in one request."""
    with open_client(database, "neso", settings) as client:
        return search(client, "")


def main() -> None:
    """The command line."""
    command.run(lambda: went_well(discover_neso))


if __name__ == "__main__":
    main()
