"""A refresh with five years of carbon intensity in the tables, against one with a day."""

from datetime import UTC, date, datetime, timedelta

from benchmarks.bench import Bench, Measure, at_most, say

HISTORIES = {"a day": (date(2024, 12, 31), date(2024, 12, 31)), "five years": (date(2020, 1, 1), date(2024, 12, 31))}
ROUNDS = 5
SOURCE = "carbon_intensity"


def measure_history(bench: Bench) -> list[Measure]:
    """Both by turns, because a machine is not as quick at one time as at another; the best of five each."""
    databases = {name: bench.database(f"energy_bench_{name.replace(' ', '_')}") for name in HISTORIES}
    for name, days in HISTORIES.items():
        bench.flow(databases[name], "refresh", SOURCE)
        bench.flow(databases[name], "backfill", *map(str, days), SOURCE)
        say(f"{name} of history is in the tables")
    times: dict[str, list[float]] = {name: [] for name in HISTORIES}
    for number in range(ROUNDS):
        # an upstream that is some half-hours behind has issued other forecasts: there is everything to do
        behind = timedelta(minutes=30 * (number + 1))
        bench.emulator.now = lambda behind=behind: datetime.now(UTC) - behind  # type: ignore[misc]
        for name, database in databases.items():
            times[name].append(bench.flow(database, "refresh", SOURCE)["seconds"])
    bench.emulator.now = lambda: datetime.now(UTC)
    for name, seconds in times.items():
        say(f"a refresh with {name} of history: {', '.join(f'{t:.2f}' for t in seconds)} s")
    bench.drop(*databases.values())
    ours, against = min(times["five years"]), min(times["a day"])
    return [at_most("refresh, five years of history", ours, "refresh, a day of history", against, 1.1)]
