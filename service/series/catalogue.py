"""Which series there are. Every one is a SELECT of `public`; the columns keep the names and units of their tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Resolution = Literal["half-hour", "hour", "day"]
Grain = Literal["half-hour", "delivery window", "change", "lead time"]

FUELS = ("biomass", "coal", "gas", "hydro", "imports", "nuclear", "other", "solar", "wind")
MIX = {f"{name}_pct": f"{name}_pct" for name in (*FUELS, "renewable", "low_carbon")}

KEY_TYPES: Mapping[str, type] = {"region_id": int, "lead_hours": int, "is_forecast": bool}
"""Types of keys that are no text"""


@dataclass(frozen=True)
class Series:
    """One series; names of columns are SQL of our own, never of a request."""

    name: str
    description: str
    unit: str
    table: str
    values: Mapping[str, str]
    """column of the series -> expression over the table; the one of a simple series is `value`"""
    period: tuple[str, str | None] = ("period_start", "period_end")
    """expressions for the start and the end of a period; both empty for what has no period"""
    keys: tuple[str, ...] = ()
    """columns that tell apart the rows of one period"""
    if_null: Mapping[str, str] = field(default_factory=dict)
    """key that may be NULL -> what it is sorted as then"""
    beside: tuple[str, ...] = ()
    """columns that say more about a value"""
    where: str = "true"
    grain: Grain = "half-hour"
    dataset: str | None = None
    """its name in `data_coverage`, or what the names of its parts there begin with"""
    vintages_region: int | Literal["each"] | None = None
    """the region whose captured forecasts it is as of an instant: one, that of each row, or no captures of intensity"""
    has_demand_vintages: bool = False
    """whether `demand_forecast_vintages` has it as of an instant"""

    @property
    def has_regions(self) -> bool:
        """Whether `region_id` tells its rows apart."""
        return "region_id" in self.keys

    @property
    def takes_horizon(self) -> bool:
        """Whether it can be asked for as it was known so long before each half-hour."""
        return self.vintages_region is not None

    @property
    def takes_as_of(self) -> bool:
        """Whether it can be asked for as it was known at an instant."""
        return self.takes_horizon or self.has_demand_vintages

    @property
    def has_periods(self) -> bool:
        """Whether a row is of a period."""
        return bool(self.period[0])

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """What its values can be averaged over."""
        return ("half-hour", "hour", "day") if self.grain == "half-hour" else ()


def _price(name: str, market: str, description: str) -> Series:
    return Series(
        name, description, "GBP/MWh", "wholesale_prices", {"value": "price_gbp_mwh"},
        where=f"market = '{market}' and price_gbp_mwh is not null", dataset=f"wholesale_prices/{market}",
    )  # fmt: skip


_ALL = (
    Series(
        "carbon_intensity_national_actual",
        "Carbon intensity of Great Britain as it was estimated after the half-hour.",
        "gCO2/kWh",
        "carbon_intensity_national",
        {"value": "actual_gco2_kwh"},
        beside=("is_isolated",),
        where="actual_gco2_kwh is not null",
        dataset="carbon_intensity_national",
    ),
    Series(
        "carbon_intensity_national_forecast",
        "Newest forecast of the carbon intensity of Great Britain; as of an instant or a horizon with as_of or horizon.",
        "gCO2/kWh",
        "carbon_intensity_national",
        {"value": "forecast_gco2_kwh"},
        beside=("is_isolated",),
        where="forecast_gco2_kwh is not null",
        dataset="carbon_intensity_national",
        vintages_region=18,
    ),
    Series(
        "carbon_intensity_regional_forecast",
        "Newest forecast of the carbon intensity of each region; of past half-hours the upstream gives an estimate afterwards. "
        "As it was known before: with as_of or horizon.",
        "gCO2/kWh",
        "carbon_intensity_regional",
        {"value": "forecast_gco2_kwh"},
        keys=("region_id",),
        beside=("is_isolated",),
        where="forecast_gco2_kwh is not null",
        dataset="carbon_intensity_regional",
        vintages_region="each",
    ),
    Series(
        "generation_mix_national",
        "Shares of nine fuels in the generation of Great Britain, and of renewable and low-carbon ones.",
        "%",
        "generation_mix_national",
        MIX,
        dataset="generation_mix_national",
    ),
    Series(
        "generation_mix_regional",
        "Shares of nine fuels in what each region consumes, and of renewable and low-carbon ones.",
        "%",
        "generation_mix_regional",
        MIX,
        keys=("region_id",),
        dataset="generation_mix_regional",
    ),
    Series(
        "demand_national_actual",
        "Demand of Great Britain as it was metered.",
        "MW",
        "demand_actual_national",
        {"value": "national_demand_mw"},
        beside=("source",),
        dataset="demand_actual_national",
    ),
    Series(
        "demand_national_forecast",
        "Newest forecast of the demand of Great Britain; as of an instant with as_of.",
        "MW",
        "demand_forecast_national",
        {"value": "national_demand_mw"},
        beside=("forecast_type", "source"),
        where="national_demand_mw is not null",
        dataset="demand_forecast_national",
        has_demand_vintages=True,
    ),
    Series(
        "demand_regional",
        "Demand of each area of the source: its own areas, not the regions of carbon intensity.",
        "MW",
        "demand_regional",
        {"value": "demand_mw"},
        keys=("area_type", "area_code", "is_forecast"),
        beside=("source",),
        where="demand_mw is not null",
        dataset="demand_regional",
    ),
    _price("price_day_ahead", "n2ex_day_ahead", "Price of the auction of the day before, hourly."),
    _price("price_market_index", "apx_market_index", "Price of trades within the day, known afterwards."),
    _price("price_system", "system_price", "Price of imbalance, known afterwards; the newest calculation."),
    Series(
        "flexibility_prices",
        "Prices and volumes of the response and reserve auctions and the Demand Flexibility Service.",
        "GBP/MWh (value), GBP/MW/h, MW",
        "flexibility_prices",
        {"value": "price_gbp_mwh", "price_gbp_mw_h": "price_gbp_mw_h", "volume_mw": "volume_mw"},
        period=("delivery_start", "delivery_end"),
        keys=("service", "product", "unit"),
        beside=("direction", "status"),
        grain="delivery window",
        dataset="flexibility_prices",
    ),
    Series(
        "compute_windows",
        "What changed of the Beckn compute windows: carbon intensity (value), renewable share and capacity.",
        "gCO2/kWh (value), %, MW",
        "grid_snapshots",
        {
            "value": "carbon_intensity_gco2_kwh",
            "renewable_pct": "renewable_pct",
            "available_capacity_mw": "available_capacity_mw",
        },
        period=("observed_at", None),
        keys=("window_id",),
        grain="change",
    ),
    Series(
        "forecast_skill",
        "How far forecasts were off, by lead time: mean absolute error (value), mean error and root mean square error.",
        "gCO2/kWh or MW, as the row says",
        "forecast_skill",
        {
            "value": "mean_absolute_error",
            "mean_error": "mean_error",
            "root_mean_square_error": "root_mean_square_error",
            "forecasts": "forecasts",
        },
        period=("", None),
        keys=("series", "region_id", "forecast_type", "lead_hours"),
        if_null={"region_id": "0", "forecast_type": "''"},
        beside=("unit",),
        grain="lead time",
    ),
)
SERIES: dict[str, Series] = {series.name: series for series in _ALL}
