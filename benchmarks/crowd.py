"""Fifty clients, each with a mixture of requests, for ten minutes: `python -m benchmarks.crowd [--seconds 600] [--clients 50]`.

A database of its own, filled by a refresh against the emulator. Prints how many of each kind were answered and with what, and
the median and p99 of each, against the bars: no 503, reads within a second, submissions within two (p99).
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.bench import Bench, say
from benchmarks.serving import TOKEN, serving
from tests.emulator import Emulator

READ_BAR_S, SUBMISSION_BAR_S = 1.0, 2.0
THINKS_S = 1.0
"""How long a client waits between two requests, on average."""
READS = {
    "GET /workloads": ("/workloads?limit=50", 30),
    "GET /workloads/{id}": ("/workloads/{id}", 20),
    "GET /regions/opportunities": ("/regions/opportunities", 10),
    "GET /windows/best": ("/windows/best?duration_minutes=240", 6),
    "GET /agents/energy/context": ("/agents/energy/context", 1),
    "GET /agents/compute/context": ("/agents/compute/context", 1),
    "GET /agents/head/context": ("/agents/head/context", 1),
    "GET /readyz": ("/readyz", 5),
}
SUBMIT, STEP = "POST /submit_task", "PATCH /workloads/{id}"


@dataclass
class Seen:
    """What the clients met."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)


async def client(port: int, until: float, seen: Seen, seed: int) -> None:
    """One client: submits, looks at what it submitted, reads, takes steps."""
    chance, mine = random.Random(seed), list[str]()
    kinds = [*READS, SUBMIT, STEP]
    weights = [*(weight for _, weight in READS.values()), 20, 6]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as http:
        while time.monotonic() < until:
            await asyncio.sleep(chance.expovariate(1 / THINKS_S))
            (kind,) = chance.choices(kinds, weights)
            if "{id}" in kind and not mine:
                kind = SUBMIT
            begun = time.perf_counter()
            if kind == SUBMIT:
                task = {
                    "request": "Train a model",
                    "user_email": f"client{seed}@example.com",
                    "duration_minutes": 30 + 15 * chance.randrange(30),
                    "power_kw": 6.5,
                }
                answer = await http.post(
                    "/submit_task", content=json.dumps(task), headers={"Content-Type": "application/json"}
                )
                if answer.status_code == 201:
                    mine.append(answer.json()["workload_id"])
            elif kind == STEP:
                answer = await http.patch(
                    f"/workloads/{mine.pop(chance.randrange(len(mine)))}", json={"status": "cancelled"}
                )
            else:
                answer = await http.get(READS[kind][0].replace("{id}", mine[-1] if mine else ""))
            seen.seconds[kind].append(time.perf_counter() - begun)
            seen.statuses[kind, answer.status_code] += 1


async def crowd(port: int, clients: int, seconds: float) -> Seen:
    """So many clients at once, for so long."""
    seen, until = Seen(), time.monotonic() + seconds
    await asyncio.gather(*(client(port, until, seen, seed) for seed in range(clients)))
    return seen


def report(seen: Seen, clients: int, seconds: float) -> bool:
    """Print what was met; whether every bar was."""
    table = Table(title=f"{clients} clients, {seconds:.0f} s", title_justify="left")
    for column in ("request", "answers", "median s", "p99 s", "bar", "met"):
        table.add_column(column)
    is_met = True
    for kind, waited in sorted(seen.seconds.items()):
        bar = READ_BAR_S if kind.startswith("GET") else SUBMISSION_BAR_S
        p99 = statistics.quantiles(waited, n=100)[98] if len(waited) > 1 else waited[0]
        answers = ", ".join(
            f"{count} x {status}" for (of, status), count in sorted(seen.statuses.items()) if of == kind
        )
        is_met = is_met and p99 < bar
        table.add_row(
            kind, answers, f"{statistics.median(waited):.3f}", f"{p99:.3f}", f"< {bar:g}", "yes" if p99 < bar else "NO"
        )
    refused = sum(count for (_, status), count in seen.statuses.items() if status >= 500)
    Console(width=130).print(table)
    total = sum(map(len, seen.seconds.values()))
    print(f"{total} requests, {total / seconds:.1f} a second; answered 5xx: {refused}")
    return is_met and not refused


def main() -> None:
    """Fill, serve, let them in, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=50)
    arguments = parser.parse_args()
    with Emulator() as emulator:
        bench = Bench(emulator)
        database = bench.database("energy_bench_crowd")
        bench.flow(database, "refresh", "carbon_intensity")
        say("the tables are full; the clients begin")
        with serving(database, "-m", "service") as port:
            seen = asyncio.run(crowd(port, arguments.clients, arguments.seconds))
        bench.drop(database)
    sys.exit(0 if report(seen, arguments.clients, arguments.seconds) else 1)


if __name__ == "__main__":
    main()
