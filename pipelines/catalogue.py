"""Every dataset of every source, and how a user names them."""

from collections.abc import Iterable

from pipelines import beckn, carbon_intensity, elexon, neso
from pipelines.dataset import Dataset
from warehouse.errors import UsageError

DATASETS: dict[str, Dataset] = {
    dataset.slug: dataset for dataset in (*carbon_intensity.DATASETS, *neso.DATASETS, *elexon.DATASETS, *beckn.DATASETS)
}
SOURCES: tuple[str, ...] = tuple(dict.fromkeys(dataset.source for dataset in DATASETS.values()))


def select(names: Iterable[str] = ()) -> tuple[Dataset, ...]:
    """The datasets of these names: a source, a dataset, or a clean table that it feeds. No names: all of them.

    Commas and blanks within a name separate names, so that every command reads `a,b` as it reads `a b`.
    Raises UsageError that lists the known names.
    """
    chosen: dict[str, Dataset] = {}
    for name in " ".join(names).replace(",", " ").split():
        found = [d for d in DATASETS.values() if name in (d.source, d.slug, *d.clean_tables)]
        if not found:
            known = ", ".join((*SOURCES, *DATASETS, *(t for d in DATASETS.values() for t in d.clean_tables)))
            raise UsageError(f"There is no dataset {name!r}. Known: {known}.")
        chosen |= {dataset.slug: dataset for dataset in found}
    return tuple(chosen.values()) or tuple(DATASETS.values())
