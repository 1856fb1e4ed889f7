"""The SELECT behind a page of a series. Values of a request enter as literals that psycopg quotes; names are our own."""

from psycopg import sql
from psycopg.sql import SQL, Composed, Literal

from service.series.asked import STEPS, Asked
from service.series.catalogue import Series

UPDATED_AT, REAL_KNOWN_AT, SYNTHETIC_KNOWN_AT = HIDDEN = ("updated_at", "real_known_at", "synthetic_known_at")
"""Columns beside those of a page: when a row was last changed, and when the newest real and synthetic value in it was known"""


def columns_of(asked: Asked) -> tuple[str, ...]:
    """The columns of a page, in their order."""
    series = asked.series
    periods = ("period_start", "period_end") if series.has_periods else ()
    if asked.uses_captures:
        return (*periods, *series.keys, "value", "is_synthetic", "known_at")
    if asked.resolution != "half-hour":
        return (*periods, *series.keys, *series.values, "half_hours", "is_synthetic", "known_at")
    marks = ("is_synthetic", "known_at") if series.has_periods else ()
    return (*periods, *series.keys, *series.values, *series.beside, *marks)


def order_of(series: Series) -> Composed:
    """What the rows of a page are sorted by, which tells them all apart."""
    return SQL(", ").join(_sorted_keys(series))


def _sorted_keys(series: Series) -> list[SQL]:
    keys = [
        SQL(f"coalesce({key}, {series.if_null[key]})") if key in series.if_null else SQL(key) for key in series.keys
    ]
    return [SQL("period_start"), *keys] if series.has_periods else keys


def page(asked: Asked, *, hidden: bool = False) -> Composed:
    """The rows of one page in their order; with `hidden`, also the columns `HIDDEN`, NULL where that is not kept."""
    names = [*columns_of(asked), *(HIDDEN if hidden else ())]
    wanted = SQL(", ").join(map(sql.Identifier, names))
    beyond: Composed | SQL = SQL("true")
    if asked.after is not None:
        keys, values = order_of(asked.series), SQL(", ").join(map(Literal, asked.after))
        beyond = SQL("({}) > ({})").format(keys, values)
    return SQL("select {} from ({}) as series where {} order by {} limit {}").format(
        wanted, _rows(asked), beyond, order_of(asked.series), Literal(asked.limit)
    )


def _rows(asked: Asked) -> Composed:
    if asked.as_of is not None:
        return _as_of(asked)
    if asked.horizon is not None:
        return _at_horizon(asked)
    if asked.resolution != "half-hour":
        return _averaged(asked)
    return _newest(asked)


def _newest(asked: Asked) -> Composed:
    series = asked.series
    start, end = series.period
    chosen = [f"{start} as period_start, {end or 'null::timestamptz'} as period_end"] if start else []
    chosen += [*series.keys, *(f"({expression})::float8 as {name}" for name, expression in series.values.items())]
    chosen += series.beside
    # a table without periods is derived from forecasts and has none of these
    chosen += (
        ["is_synthetic", "fetched_at as known_at", UPDATED_AT, *_known_by_kind("fetched_at")]
        if start
        else [f"null::timestamptz as {name}" for name in HIDDEN]
    )
    return SQL("select {} from {} where {}").format(
        SQL(", ".join(chosen)),
        sql.Identifier(series.table),
        SQL(" and ").join(_conditions(asked)),
    )


def _conditions(asked: Asked) -> list[Composed | SQL]:
    series = asked.series
    found: list[Composed | SQL] = [SQL(series.where)]
    start = SQL(series.period[0])
    begins = asked.start
    if (
        asked.after is not None and series.has_periods
    ):  # an index finds the page; rows of that period are sorted out after
        begins = asked.after[0] if begins is None else max(begins, asked.after[0])
    if begins is not None:
        found.append(SQL("{} >= {}").format(start, Literal(begins)))
    if asked.end is not None:
        found.append(SQL("{} < {}").format(start, Literal(asked.end)))
    if asked.region_ids is not None:
        found.append(SQL("region_id = any({})").format(Literal(list(asked.region_ids))))
    return found


def _averaged(asked: Asked) -> Composed:
    """Means of the half-hours that are known, by whole UTC hours or days; `half_hours` counts them."""
    series, step = asked.series, STEPS[asked.resolution]
    bucket = SQL("date_bin({}, period_start, timestamptz '2000-01-01 00:00Z')").format(Literal(step))
    keys = [SQL(key) for key in series.keys]
    means = [SQL(f"avg({expression})::float8 as {name}") for name, expression in series.values.items()]
    first = next(iter(series.values.values()))
    return SQL(
        "select {bucket} as period_start, {bucket} + {step} as period_end, {chosen}, count({first})::integer as half_hours, "
        "bool_or(is_synthetic) as is_synthetic, max(fetched_at) as known_at, max(updated_at) as updated_at, "
        f"max(fetched_at) filter (where not is_synthetic) as {REAL_KNOWN_AT}, "
        f"max(fetched_at) filter (where is_synthetic) as {SYNTHETIC_KNOWN_AT} "
        "from {table} where {conditions} group by {keys}"
    ).format(
        bucket=bucket,
        step=Literal(step),
        chosen=SQL(", ").join([*keys, *means]),
        first=SQL(first),
        table=sql.Identifier(series.table),
        conditions=SQL(" and ").join(_conditions(asked)),
        keys=SQL(", ").join([SQL("1"), *keys]),
    )


def _as_of(asked: Asked) -> Composed:
    """Each coming half-hour as it was known at an instant."""
    if asked.series.has_demand_vintages:
        return SQL("select * from ({}) as known where {}").format(
            _DEMAND.format(as_of=Literal(asked.as_of)), SQL(" and ").join(_of_captures(asked))
        )
    one = asked.series.vintages_region
    region = SQL("null::smallint") if one == "each" else SQL("{}::smallint").format(Literal(one))
    if asked.region_ids is not None and len(asked.region_ids) == 1:
        region = SQL("{}::smallint").format(Literal(asked.region_ids[0]))
    return SQL("{} from carbon_intensity_as_of({}, {}) where {}").format(
        _CAPTURED, Literal(asked.as_of), region, SQL(" and ").join(_of_captures(asked))
    )


def _at_horizon(asked: Asked) -> Composed:
    """Each half-hour as it was known so long before it began."""
    one = asked.series.vintages_region
    regions = asked.region_ids if isinstance(one, str) else (one,)
    begins = asked.start if asked.after is None else max(asked.start, asked.after[0])
    return SQL("{} from carbon_intensity_ahead({}, {}, {}, {}::smallint[])").format(
        _CAPTURED,
        Literal(asked.horizon),
        Literal(begins),
        Literal(asked.end),
        Literal(list(regions) if regions else None),
    )


def _known_by_kind(known_at: str) -> list[str]:
    """Columns with the instant of a row that is one value: NULL in that of the other kind."""
    return [
        f"case when not is_synthetic then {known_at} end as {REAL_KNOWN_AT}",
        f"case when is_synthetic then {known_at} end as {SYNTHETIC_KNOWN_AT}",
    ]


_CAPTURED = SQL(
    "select period_start, period_start + interval '30 minutes' as period_end, region_id, forecast_gco2_kwh::float8 as value, "
    "is_synthetic, forecast_known_at as known_at, null::timestamptz as updated_at, "
    f"{', '.join(_known_by_kind('forecast_known_at'))}"
)


# chosen as `demand_forecast_national` chooses the newest; a forecast reaches 14 days ahead
_DEMAND = SQL(
    "select distinct on (period_start) period_start, period_start + interval '30 minutes' as period_end, "
    "national_demand_mw::float8 as value, is_synthetic, known_at, null::timestamptz as updated_at, "
    f"{', '.join(_known_by_kind('known_at'))} from demand_forecast_vintages as vintage "
    "where known_at <= {as_of} and known_at > {as_of} - interval '14 days' "
    "order by period_start, is_synthetic, forecast_type = 'day_ahead_interpolated', vintage.known_at desc, source"
)


def _of_captures(asked: Asked) -> list[Composed | SQL]:
    found: list[Composed | SQL] = [SQL("period_start >= {}").format(Literal(asked.start))]
    if asked.end is not None:
        found.append(SQL("period_start < {}").format(Literal(asked.end)))
    if asked.region_ids is not None:
        found.append(SQL("region_id = any({})").format(Literal(list(asked.region_ids))))
    return found
