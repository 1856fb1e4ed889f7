"""The pages over five years of history, each made anew: how long they take, and how large they are."""

import asyncio
import statistics
import time
from zoneinfo import available_timezones

from benchmarks.bench import Measure, at_most, say
from benchmarks.serving import exchange

ASKED, WARM_UP = 9, 3
PAGES = ("/", "/when", "/regions/13", "/plan", "/quality", "/trust", "/data")
FIRST_PAGE = "/"
SECONDS_BAR, KILOBYTES_BAR = 0.1, 60


def measure_pages(port: int) -> list[Measure]:
    """Bars are for the first page; what the others cost is said."""
    found = {page: asyncio.run(_asked(port, page)) for page in PAGES}
    for page, (seconds, kilobytes) in found.items():
        say(f"page {page}: {1000 * seconds:.0f} ms, {kilobytes:.1f} KB with five years of history")
    seconds, kilobytes = found[FIRST_PAGE]
    return [
        at_most("first page, five years", seconds, "bar", SECONDS_BAR, 1),
        at_most("first page, KB of HTML", kilobytes, "bar", KILOBYTES_BAR, 1),
    ]


async def _asked(port: int, page: str) -> tuple[float, float]:
    """Median seconds, and kilobytes; each request is of another time zone, because a page that was just made is kept."""
    took, size = [], 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    for zone in sorted(available_timezones())[: WARM_UP + ASKED]:
        begun = time.perf_counter()
        size = len(await exchange(reader, writer, f"GET {page}?tz={zone}"))
        took.append(time.perf_counter() - begun)
    writer.close()
    return statistics.median(took[WARM_UP:]), size / 1000
