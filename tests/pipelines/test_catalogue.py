"""How a user names datasets."""

import pytest

from pipelines.catalogue import DATASETS, select
from warehouse.errors import UsageError

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
