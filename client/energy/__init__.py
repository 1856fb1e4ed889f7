"""USE: run work when Britain's electricity is clean.

    import energy

    with energy.wait(hours=4, deadline="18h"):     # returns when it is time; also as `async with energy.wait_async(...)`
        train()

    @energy.carbon_aware(hours=4, deadline="18h")  # the same around a function, also an async one
    def train(): ...

Nothing here stops work because the service does: if it cannot be reached, refuses the token or knows no forecast, one line says so
and the work begins at once (`strict=True` raises `Trouble` instead). Where is what:

- `functions`    wait, wait_async, carbon_aware
- `turn`         the life of one piece of work: submitted, waited for, begun, ended; `job` is what it needs
- `api`          requests to the service, each within a time; `answers` are the fields of the responses that are used
- `settings`     ENERGY_URL, ENERGY_TOKEN, ENERGY_PLACE, ENERGY_PATIENCE_SECONDS
- `chunks`       the pieces in which work runs that may be interrupted; `pieces` says when each really ran
- `spans`        "18h" and instants; `clock` is what time it is, and waiting
- `places`       --region, --postcode, --at
- `commands/`    the `energy` command; `child` and `signals` are a command that it runs, `split` its pauses, `chart`
                 its text chart
- `prefect`      schedule_when_clean, with the extra energy-client[prefect]
"""

from energy.api import Trouble
from energy.functions import carbon_aware, wait, wait_async
from energy.turn import Cancelled, Turn

__all__ = ["Cancelled", "Trouble", "Turn", "carbon_aware", "wait", "wait_async"]
