"""The fourteen licence areas, coloured by intensity; the script moves them through time."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from service.pages.charts import outlines
from service.pages.charts.svg import joined, tag

BOUNDS = (25, 50, 90, 130, 180, 240, 310)
"""gCO2/kWh at which the next colour begins"""


def look(value: float | None) -> str:
    """The class of a value's colour."""
    return "unknown" if value is None else f"c{sum(value >= bound for bound in BOUNDS)}"


def region_map(
    names: Mapping[int, str], series: Mapping[int, Sequence[float | None]], at: int, addresses: Mapping[int, str]
) -> Markup:
    """The map as of half-hour number `at` of each series, gCO2/kWh."""
    drawn = []
    for region_id, path in outlines.paths().items():
        values = series.get(region_id, ())
        value = values[at] if at < len(values) else None
        name = names.get(region_id, f"region {region_id}")
        words = f"{name}: {'not known' if value is None else f'{value:g} g'}"
        area = tag(
            "path", f"area {look(value)}", tag("title", "", words), data_name=name,
            data_values=",".join("" if one is None else f"{one:g}" for one in values), d=path,
        )  # fmt: skip
        drawn.append(tag("a", "", area, href=addresses[region_id], data_region=region_id, aria_label=words))
    return tag(
        "svg", "map", joined(drawn), viewBox=f"0 0 {outlines.WIDTH} {outlines.HEIGHT}", role="group",
        data_bounds=",".join(str(bound) for bound in BOUNDS), aria_label="Map of the fourteen licence areas",
    )  # fmt: skip
