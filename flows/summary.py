"""What a person reads at the end of a run: each table, how full, how new, how much of it real; what went wrong."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table

from flows import lineage
from flows.session import Session
from flows.steps import Published
from flows.table_states import TableState, synthetic_now
from pipelines.catalogue import DATASETS
from pipelines.settings import PUBLIC_URLS, PipelineSettings
from warehouse.ledger import Fetch


def summarize(
    session: Session, fetches: Sequence[Fetch], rejected: int, published: Published, states: Sequence[TableState]
) -> str:
    """Print the summary, keep it in the ledger, and return its words."""
    lines = [
        *_upstream_lines(fetches, synthetic_now(session, fetches)),
        *(
            f"{fault}: {rows} rows have impossible values, NULL in the tables"
            for fault, rows in published.set_aside.items()
        ),
        *(f"FAILED: {failure}" for failure in published.failures),
        _truth_line(states),
        *_where_from(session.upstreams),
        f"Data quality: {session.data_dir / 'data_docs' / 'index.html'}",
        'Look at it: make psql, or eval "$(make -s env)" and psql. Gaps: select * from data_gaps.',
        f"Run {session.run.run_id} (ops.runs); where a value came from: make trace TABLE=... KEY=...",
    ]
    session.run.summary |= {
        "requests": len(fetches),
        "rejected": rejected,
        "half_hours_synthetic": sum(fetch.half_hours_synthetic for fetch in fetches),
        "set_aside": published.set_aside,
        "tables": [{**vars(state), "synthetic_pct": state.synthetic_pct} for state in states],
    }
    session.run.failures += published.failures
    lineage.show_summary(list(_artifact(fetches, published, states)), "\n\n".join(lines), session.data_dir)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(_table(states, session.now))
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    return "\n".join(lines)


def _artifact(
    fetches: Sequence[Fetch], published: Published, states: Sequence[TableState]
) -> Iterator[dict[str, object]]:
    """A row a dataset, for Prefect's UI."""
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
            _age(state.last_real_answer, now),
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


def _age(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return "never"
    minutes = max(0, round((now - instant).total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _truth_line(states: Sequence[TableState]) -> str:
    rows, synthetic = sum(s.rows for s in states), sum(s.rows_synthetic for s in states)
    if not rows:
        return "There is no data yet."
    if not synthetic:
        return "Every value is real: as the upstream sent it."
    if synthetic == rows:
        return (
            "EVERY VALUE IS SYNTHETIC: no upstream answered, so plausible values stand in (is_synthetic is true in each "
            "row). Do not decide by them. They give way to real ones at the next run that reaches the upstream."
        )
    return f"{synthetic:,} of {rows:,} rows are synthetic (is_synthetic); real values replace them when an upstream gives them."


def _upstream_lines(fetches: Sequence[Fetch], synthetic: Mapping[tuple[str, datetime, datetime], int]) -> list[str]:
    """A line a dataset on what was asked, and one on each kind of thing that went wrong; `synthetic` says what was published."""

    def published(fetch: Fetch) -> int:
        return synthetic.get((fetch.dataset, fetch.window_start, fetch.window_end), 0)

    lines = []
    for dataset in DATASETS:
        mine = [fetch for fetch in fetches if fetch.dataset == dataset]
        if not mine:
            continue
        counts = {
            outcome: sum(f.outcome == outcome for f in mine) for outcome in ("landed", "known", "rejected", "failed")
        }
        told = ", ".join(
            f"{count} {words}"
            for (outcome, words), count in zip(
                {"landed": "landed", "known": "known already", "rejected": "REJECTED", "failed": "FAILED"}.items(),
                counts.values(),
                strict=True,
            )
            if count
        )
        lines.append(f"{dataset}: {len(mine)} request{'s' if len(mine) != 1 else ''} ({told})")
        for fetch in [f for f in mine if f.outcome in ("rejected", "failed")][:5]:
            status = f"HTTP {fetch.http_status}" if fetch.http_status else "no answer"
            done = (
                f"synthetic values stand in for {_half_hours(published(fetch))}"
                if published(fetch)
                else "its half-hours are left as they are"
            )
            kept = "; the body is kept in staging.rejected_payloads" if fetch.outcome == "rejected" else ""
            lines.append(f"  {fetch.outcome}: {fetch.request_url} ({status}): {fetch.detail}; {done}{kept}")
        lines += [
            f"  {told}" for told in dict.fromkeys(f.detail for f in mine if f.outcome in ("landed", "known")) if told
        ]
        gaps = sum(published(f) for f in mine if f.outcome in ("landed", "known"))
        if gaps:
            lines.append(f"  {_half_hours(gaps)} missing upstream: synthetic values stand in")
    return lines


def _half_hours(count: int) -> str:
    return f"{count} half-hour{'' if count == 1 else 's'}"


def _where_from(settings: PipelineSettings) -> list[str]:
    return [
        f"NOTE: read from {address} ({source.upper()}_URL), not from the public API."
        for source, upstream in settings.upstreams.items()
        if (address := upstream.url.rstrip("/")) != PUBLIC_URLS[source]
    ]
