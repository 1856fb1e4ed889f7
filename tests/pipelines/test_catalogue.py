"""Which datasets there are, how a user names them, and that each has an upstream to be tested against."""

import importlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.catalogue import DATASETS, select
from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest, datasets_in
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from tests.energy import FAST
from warehouse.errors import UsageError
from warehouse.periods import Window, floor
from warehouse.settings import PROJECT_ROOT

WANTED = ["carbon_intensity__national", "elexon__market_index", "elexon__system_prices"]


@pytest.mark.parametrize(
    "names",
    [
        WANTED,
        [",".join(WANTED)],
        [" ".join(WANTED)],
        ["carbon_intensity_national,", "elexon__market_index, elexon__system_prices"],
    ],
)
def test_commas_and_blanks_both_separate_names(names: list[str]) -> None:
    assert [dataset.slug for dataset in select(names)] == WANTED


def test_no_name_is_every_dataset_and_a_wrong_one_is_said() -> None:
    assert list(select()) == list(select([""])) == list(select([","])) == list(DATASETS.values())
    with pytest.raises(UsageError, match="There is no dataset 'nonsense'"):
        select(["carbon_intensity, nonsense"])


@pytest.mark.parametrize("slug", DATASETS)
def test_the_emulator_answers_for_every_dataset(emulator: Emulator, slug: str) -> None:
    dataset, now = DATASETS[slug], datetime.now(UTC)
    given = {name.lower(): value for name, value in {**FAST, **emulator.settings}.items()}
    settings = PipelineSettings(**given)  # type: ignore[arg-type]
    client = UpstreamClient(settings.upstreams[dataset.source].url, settings=settings)
    a_month_ago = floor(now) - timedelta(days=30)
    wanted = dataset.refreshes(now) or Window(a_month_ago, a_month_ago + timedelta(days=1))
    window = next(iter(dataset.pieces.cover(wanted.half_hours())))
    for response in dataset.fetch(FetchRequest(client, window, now=now)).responses:
        assert response.failure is None, f"the emulator has no route for {slug}: {response.url} is {response.failure}"
        dataset.validate(response.body)


def test_a_module_that_is_added_to_a_source_is_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "elexon_with_one_more"
    shutil.copytree(PROJECT_ROOT / "pipelines" / "elexon", package)
    text = (package / "market_index.py").read_text()
    (package / "another_index.py").write_text(text.replace('name="market_index"', 'name="another_index"'))
    monkeypatch.syspath_prepend(str(tmp_path))
    before = {dataset.name for dataset in datasets_in("pipelines.elexon")}
    assert {dataset.name for dataset in importlib.import_module(package.name).DATASETS} == before | {"another_index"}
