"""The service as a process of the stack: started, asked whether it is well, started anew if it is not."""

import sys
from collections.abc import Mapping

import httpx

from flows.processes import Processes, Running
from warehouse.printed import out

SERVICE = "service"
ANSWERS_WITHIN_SECONDS = 20


def start(processes: Processes, environment: Mapping[str, str]) -> Running:
    """The service. One that runs is started anew if it does not answer, or if the database has moved: it knows the address
    that it began with. Raises UsageError, with its last words, if it does not start."""
    running = processes.running(SERVICE)
    if running and (why := _is_of_no_use(processes, running, environment)):
        out(f"Service         starting anew: {why}")
        processes.stop(SERVICE)
        running = None
    return running or processes.start(
        SERVICE,
        [sys.executable, "-m", "service"],
        environment={**environment, "PYTHONUNBUFFERED": "1"},
        answers=lambda: processes.log(SERVICE).first(r"http://[^ ]+"),
        seconds=60,
    )


def answers(address: str) -> bool:
    """Whether the service responds at its address."""
    try:
        return httpx.get(f"{address}/healthz", timeout=ANSWERS_WITHIN_SECONDS).status_code == 200
    except httpx.HTTPError:
        return False


def _is_of_no_use(processes: Processes, running: Running, environment: Mapping[str, str]) -> str | None:
    if processes.environment(SERVICE).get("DATABASE_AT") != environment.get("DATABASE_AT"):
        return f"the database is at {environment.get('DATABASE_AT')} now"
    return None if answers(running.address) else f"process {running.pid} does not answer at {running.address}"
