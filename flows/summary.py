"""What a person reads at the end of a run: each table, how full, how new, how much of it real; what went wrong."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from flows import lineage
from flows.highlights import highlights
from flows.outcome import Shortfall
from flows.run_log import say
from flows.session import Session
from flows.steps import Published
from flows.table_states import TableState, synthetic_now
from pipelines.catalogue import DATASETS
from pipelines.settings import PUBLIC_URLS, PipelineSettings
from warehouse.counts import ago, count
from warehouse.ledger import Fetch


@dataclass(frozen=True)
class Line:
    """A line of the summary; a warning where something is not as it should be."""

    text: str
    is_warning: bool = False


def shortfall_of(session: Session, fetches: Sequence[Fetch]) -> Shortfall | None:
    """What a run could not fetch, if anything, and whether synthetic values are published in its place."""
    lost = [fetch for fetch in fetches if fetch.outcome in ("failed", "rejected")]
    if not lost:
        return None
    stands_in = any(synthetic_now(session, lost).values())
    message = f"{len(lost)} of {count(len(fetches), 'request')} failed; " + (
        "synthetic values stand in" if stands_in else "no synthetic value stands in"
    )
    return Shortfall("Nothing fetched" if len(lost) == len(fetches) else "Partly fetched", message)


def summarize(
    session: Session, fetches: Sequence[Fetch], rejected: int, published: Published, states: Sequence[TableState]
) -> str:
    """Print the summary, keep it in the ledger, and return its words."""
    synthetic = synthetic_now(session, fetches)
    lines = [
        *_upstream_lines(fetches, synthetic),
        *(
            Line(f"{fault}: {count(rows, 'row')} with impossible values, NULL in the tables", is_warning=True)
            for fault, rows in published.set_aside.items()
        ),
        *(Line(f"FAILED: {failure}", is_warning=True) for failure in published.failures),
        _truth_line(states),
        *(Line(words, is_warning=True) for words in _where_from(session.upstreams)),
        Line(f"Data quality: {session.data_dir / 'data_docs' / 'index.html'}"),
        Line('Look at it: make psql, or eval "$(make -s env)" and psql. Gaps: select * from data_gaps.'),
        Line(f"Run {session.run.run_id} (ops.runs); where a value came from: make trace TABLE=... KEY=..."),
        *map(Line, highlights(session.database, session.now)),
    ]
    words = "\n".join(line.text for line in lines)
    session.run.summary |= {
        "requests": len(fetches),
        "rejected": rejected,
        "half_hours_synthetic": sum(synthetic.values()),
        "set_aside": published.set_aside,
        "tables": [{**vars(state), "synthetic_pct": state.synthetic_pct} for state in states],
    }
    session.run.failures += published.failures
    lineage.show_summary(list(_artifact(fetches, published, states)), words.replace("\n", "\n\n"), session.data_dir)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(_table(states, session.now))
    for line in lines:
        say(line.text, console=console, is_warning=line.is_warning)
    return words


def _artifact(
    fetches: Sequence[Fetch], published: Published, states: Sequence[TableState]
) -> Iterator[dict[str, object]]:
    """One row per dataset, for Prefect's UI."""
    by_table = {state.table: state for state in states}
    for slug, dataset in DATASETS.items():
        mine = [fetch for fetch in fetches if fetch.dataset == slug]
        tables = [by_table[table] for table in dataset.clean_tables if table in by_table]
        newest = max((state.newest_period for state in tables if state.newest_period), default=None)
        rows = sum(state.rows for state in tables)
        yield {
            "dataset": slug,
            "requests": len(mine),
            "landed": sum(fetch.outcome == "landed" for fetch in mine),
            "rejected": sum(fetch.outcome == "rejected" for fetch in mine),
            "failed": sum(fetch.outcome == "failed" for fetch in mine),
            "rows written": sum(published.rows_written.get(table, 0) for table in dataset.clean_tables),
            "rows": rows,
            "newest half-hour": f"{newest:%Y-%m-%d %H:%M}Z" if newest else "-",
            "synthetic %": round(100 * sum(s.rows_synthetic for s in tables) / rows, 1) if rows else None,
            "quality": f"HELD: {published.held[slug]}" if slug in published.held else "passed",
        }


def _table(states: Sequence[TableState], now: datetime) -> Table:
    table = Table(title="Clean tables (schema public)", title_justify="left")
    for name, justify in (
        ("table", "left"),
        ("rows", "right"),
        ("newest half-hour", "left"),
        ("upstream last heard", "left"),
        ("real or synthetic", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for state in states:
        table.add_row(
            state.table,
            f"{state.rows:,}",
            f"{state.newest_period:%Y-%m-%d %H:%M}Z" if state.newest_period else "-",
            ago(state.last_real_answer, now),
            _share(state),
        )
    return table


def _share(state: TableState) -> str:
    if not state.rows:
        return "empty"
    if not state.rows_synthetic:
        return "all real"
    if state.rows_synthetic == state.rows:
        return "ALL SYNTHETIC"
    return f"{max(state.synthetic_pct, 0.1):.1f} % synthetic"


def _truth_line(states: Sequence[TableState]) -> Line:
    rows, synthetic = sum(s.rows for s in states), sum(s.rows_synthetic for s in states)
    if not rows:
        return Line("There is no data yet.", is_warning=True)
    if not synthetic:
        return Line("Every value is real: as the upstream sent it.")
    if synthetic == rows:
        return Line(
            "EVERY VALUE IS SYNTHETIC: no upstream answered, so plausible values stand in (is_synthetic is true in each "
            "row). Do not decide by them. They give way to real ones at the next run that reaches the upstream.",
            is_warning=True,
        )
    return Line(
        f"{synthetic:,} of {count(rows, 'row')} are synthetic (is_synthetic); real values replace them later.",
        is_warning=True,
    )


def _upstream_lines(
    fetches: Sequence[Fetch], synthetic: Mapping[tuple[str, datetime, datetime], int]
) -> Iterator[Line]:
    """A line per dataset on what was requested, and one for each kind of thing that went wrong.

    `synthetic` is how many synthetic half-hours are published of each window, by dataset, start and end.
    """

    def published(fetch: Fetch) -> int:
        return synthetic.get((fetch.dataset, fetch.window_start, fetch.window_end), 0)

    for dataset in DATASETS:
        mine = [fetch for fetch in fetches if fetch.dataset == dataset]
        if not mine:
            continue
        counts = {
            outcome: sum(f.outcome == outcome for f in mine) for outcome in ("landed", "known", "rejected", "failed")
        }
        described = ", ".join(
            f"{number} {words}"
            for (outcome, words), number in zip(
                {"landed": "landed", "known": "known already", "rejected": "REJECTED", "failed": "FAILED"}.items(),
                counts.values(),
                strict=True,
            )
            if number
        )
        lost = [f for f in mine if f.outcome in ("rejected", "failed")]
        yield Line(f"{dataset}: {count(len(mine), 'request')} ({described})", is_warning=bool(lost))
        for fetch in lost[:5]:
            status = f"HTTP {fetch.http_status}" if fetch.http_status else "no answer"
            done = (
                f"synthetic values stand in for {count(published(fetch), 'half-hour')}"
                if published(fetch)
                else "its half-hours are left as they are"
            )
            kept = "; the body is kept in staging.rejected_payloads" if fetch.outcome == "rejected" else ""
            yield Line(
                f"  {fetch.outcome}: {fetch.request_url} ({status}): {fetch.detail}; {done}{kept}", is_warning=True
            )
        for detail in dict.fromkeys(f.detail for f in mine if f.outcome in ("landed", "known")):
            if detail:
                yield Line(f"  {detail}")
        gaps = sum(published(f) for f in mine if f.outcome in ("landed", "known"))
        if gaps:
            yield Line(f"  {count(gaps, 'half-hour')} missing upstream: synthetic values stand in", is_warning=True)


def _where_from(settings: PipelineSettings) -> list[str]:
    return [
        f"NOTE: read from {address} ({source.upper()}_URL), not from the public API."
        for source, upstream in settings.upstreams.items()
        if (address := upstream.url.rstrip("/")) != PUBLIC_URLS[source]
    ]
