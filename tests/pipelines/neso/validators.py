"""The validators of NESO's bodies, each with a row as documented."""

import pytest

from pipelines.neso import (
    demand_forecast_2_14d,
    demand_forecast_cardinal,
    demand_forecast_day_ahead,
    demand_history,
    demand_update,
    dfs_utilisation,
    eac_results,
    n2ex_day_ahead,
)
from tests.pipelines.neso import bodies

ROWS = {
    demand_history.validate: bodies.DEMAND,
    demand_update.validate: bodies.UPDATE,
    demand_forecast_2_14d.validate: bodies.TWO_TO_14,
    demand_forecast_day_ahead.validate: bodies.DAY_AHEAD,
    demand_forecast_cardinal.validate: bodies.CARDINAL,
    n2ex_day_ahead.validate: bodies.N2EX,
    eac_results.validate: bodies.EAC,
    dfs_utilisation.validate: bodies.DFS,
}
VALIDATORS = pytest.mark.parametrize(("validate_body", "row"), ROWS.items(), ids=lambda v: getattr(v, "__name__", ""))
NOT_READ = {"DATE", "CTIME", "CP_TYPE", "serviceType", "Event Type", "Service Requirement Type"}
