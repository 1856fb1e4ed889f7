"""The portal's limits: one request a second, two of the datastore a minute, whoever asks."""

import subprocess
import sys
from itertools import pairwise

import pytest

from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest
from pipelines.neso.n2ex_day_ahead import N2EX
from pipelines.neso.resources import N2EX as N2EX_TABLE
from pipelines.rate_limit import turn
from pipelines.settings import PipelineSettings, Rate
from tests.emulator import Emulator
from tests.emulator.neso import limits
from tests.pipelines.neso.bodies import N2EX as ROW
from tests.pipelines.neso.test_ckan import DAY
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

ASK = """
import sys
from datetime import date
from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest
from pipelines.neso.n2ex_day_ahead import N2EX
from warehouse.periods import settlement_days
from pipelines.rate_limit import turn
from pipelines.settings import PipelineSettings, Rate
from warehouse.database import parse
database, day = parse(sys.argv[1]), date(2024, 1, 1)
with turn(database, "neso_ckan", Rate(1, 1)) as ckan, turn(database, "neso_datastore", Rate(2, 3)) as datastore:
    turns = {"ckan": ckan, "datastore": datastore}
    client = UpstreamClient(sys.argv[2], settings=PipelineSettings(http_attempts=1), turns=turns)
    for _ in range(2):
        for answer in N2EX.fetch(FetchRequest(client, settlement_days(day, day))).responses:
            print(answer.failure)
"""


@pytest.fixture
def enforcing(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The portal, which blocks who asks too often: the datastore's minute is three seconds."""
    monkeypatch.setitem(limits.LIMITS, "datastore", (2, 3.0))
    monkeypatch.setattr(limits, "SLACK_SECONDS", 0.2)
    emulator.neso.put(N2EX_TABLE.id, [ROW], {"Date": "date", "Delivery Period": "text", "Price": "numeric"})
    emulator.neso.enforces_limits = True
    return emulator


@pytest.mark.slow
def test_two_processes_together_keep_both_limits(database: Database, enforcing: Emulator) -> None:
    for name in ("neso_ckan", "neso_datastore"):
        with turn(database, name, Rate(1, 1)):
            pass  # the table is there before the two begin
    command = [sys.executable, "-c", ASK, database.address(), enforcing.settings["NESO_URL"]]
    both = [subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [line for process in both for line in process.communicate()[0].split()] == ["None"] * 4
    assert enforcing.neso.calls == {"ckan": 4, "datastore": 4}
    assert not +enforcing.neso.over_limit
    asked = [moment for moment, path in enforcing.requests if "datastore_search_sql" in path]
    for first, third in zip(asked, asked[2:], strict=False):
        assert third - first > 2.8, "no more than two arrive within three seconds"
    shown = [moment for moment, path in enforcing.requests if "resource_show" in path]
    for first, second in pairwise(shown):
        assert second - first > 0.8, "no more than one arrives within a second"


def test_who_keeps_no_limit_is_blocked_and_said_so(enforcing: Emulator) -> None:
    client = UpstreamClient(enforcing.settings["NESO_URL"], settings=PipelineSettings(http_attempts=1))
    failures = [answer.failure for _ in range(3) for answer in N2EX.fetch(FetchRequest(client, DAY)).responses]
    assert failures == [None, "HTTP 403", "HTTP 403"]


def test_the_limits_are_the_portals_own_unless_somebody_sets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NESO_CKAN_REQUESTS_PER_SECOND", "NESO_DATASTORE_REQUESTS_PER_MINUTE"):
        monkeypatch.delenv(name, raising=False)
    rates = PipelineSettings(_env_file=None).upstreams["neso"].rates  # type: ignore[call-arg]
    assert rates == {"ckan": Rate(1, 1), "datastore": Rate(2, 60)}
    for kind, (requests, seconds) in limits.LIMITS.items():
        assert rates[kind] == Rate(requests, seconds)


def test_each_limit_is_set_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESO_CKAN_REQUESTS_PER_SECOND", "3")
    monkeypatch.setenv("NESO_DATASTORE_REQUESTS_PER_MINUTE", "7")
    assert PipelineSettings().upstreams["neso"].rates == {"ckan": Rate(3, 1), "datastore": Rate(7, 60)}
