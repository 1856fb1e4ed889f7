"""A refresh asks the second real source of a quantity for what the first should have and did not give."""

import pytest

from tests.emulator import Emulator
from tests.energy import Energy

OUTTURN = "/demand/outturn"
SINCE_WHEN = "select min(period_start) < now() - interval '24 days', bool_or(is_synthetic) from demand_actual_national"
"""Whether it reaches back weeks, and whether something of what has been measured for certain is synthetic."""
MEASURED = SINCE_WHEN + " where period_end < now() - interval '3 hours'"


def asked_of_elexon(emulator: Emulator) -> int:
    return sum(OUTTURN in path for _, path in emulator.requests)


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["demand_actual_national", "neso__demand_update"])
@pytest.mark.parametrize("fault", ["500", "empty"])
def test_weeks_of_demand_are_real_while_neso_is_down(
    energy: Energy, emulator: Emulator, chosen: str, fault: str
) -> None:
    energy.set(HTTP_ATTEMPTS="1")
    emulator.fault(fault, "/neso/")
    energy.refresh(chosen)
    both = chosen == "demand_actual_national"
    # by itself NESO is not expected to have the last 36 hours
    where = "" if both else " and period_end < now() - interval '37 hours'"
    assert energy.query(MEASURED + where) == [(True, False)]
    first = asked_of_elexon(emulator)
    assert 0 < first <= 3
    energy.refresh(chosen)
    assert asked_of_elexon(emulator) == first + both, "what is real is not asked for again"


@pytest.mark.slow
def test_elexon_is_not_asked_for_what_neso_gives(energy: Energy, emulator: Emulator) -> None:
    energy.refresh("neso__demand_update")
    assert asked_of_elexon(emulator) == 0


@pytest.mark.slow
def test_what_neither_gives_is_synthetic(energy: Energy, emulator: Emulator) -> None:
    energy.set(HTTP_ATTEMPTS="1")
    emulator.fault("500", "/neso/")
    emulator.fault("500", OUTTURN)
    energy.refresh("demand_actual_national")
    assert energy.query("select distinct is_synthetic from demand_actual_national") == [(True,)]
    emulator.reset()
    energy.refresh("demand_actual_national")
    assert energy.query(MEASURED + " and source = 'neso'") == [(True, False)]
