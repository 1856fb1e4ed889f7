"""The judges of NESO's bodies, each with a row as documented."""

import pytest

from pipelines.neso import responses
from tests.pipelines.neso import bodies

ROWS = {
    responses.judge_demand_history: bodies.DEMAND,
    responses.judge_demand_update: bodies.UPDATE,
    responses.judge_two_to_14: bodies.TWO_TO_14,
    responses.judge_day_ahead: bodies.DAY_AHEAD,
    responses.judge_cardinal: bodies.CARDINAL,
    responses.judge_n2ex: bodies.N2EX,
    responses.judge_eac: bodies.EAC,
    responses.judge_dfs: bodies.DFS,
}
JUDGES = pytest.mark.parametrize(("judge", "row"), ROWS.items(), ids=lambda v: getattr(v, "__name__", ""))
NOT_READ = {"DATE", "CTIME", "CP_TYPE", "serviceType", "Event Type", "Service Requirement Type"}
