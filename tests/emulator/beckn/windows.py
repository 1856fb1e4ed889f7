"""The windows of the sandbox, as facts: nothing changed in them while it ran."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """A span of the day in which an area has low-carbon power to spare. Times are UTC, `box` is west south east north."""

    key: str
    name: str
    area: str
    zone: str
    renewable_pct: float
    carbon_gco2_kwh: float
    start: str
    end: str
    capacity_mw: float
    reservation: bool
    street: str
    locality: str
    region: str
    box: tuple[float, float, float, float]
    duration: str = "PT4H"
    country: str = "GB"


@dataclass(frozen=True)
class Price:
    """What a window's energy costs, for the few that have an offer."""

    key: str
    name: str
    per_kwh: float
    currency: str = "GBP"
    stability: str = "stable"


WINDOWS = (
    Window(
        "cambridge-morning-001", "Cambridge-East Morning Window", "Cambridge-East", "UK-EAST-1", 80, 120,
        "10:00:00Z", "14:00:00Z", 5, False,
        "Cambridge-East Grid Zone", "Cambridge", "East England", (0, 52, 0.5, 52.5),
    ),
    Window(
        "manchester-afternoon-001", "Manchester Afternoon Window", "Manchester", "UK-NORTH-1", 75, 140,
        "14:00:00Z", "18:00:00Z", 4.5, False,
        "Manchester Grid Zone", "Manchester", "North West England", (-2.5, 53.3, -2, 53.7),
    ),
    Window(
        "london-morning-001", "London South Morning Window", "London South", "UK-SOUTH-1", 70, 150,
        "08:00:00Z", "12:00:00Z", 6.2, False,
        "London South Grid Zone", "London", "South England", (-0.2, 51.2, 0.2, 51.6),
    ),
    Window(
        "edinburgh-evening-001", "Edinburgh Evening Window", "Edinburgh", "UK-SCOT-2", 85, 110,
        "18:00:00Z", "22:00:00Z", 5.8, True,
        "Edinburgh Central Grid Zone", "Edinburgh", "Scotland", (-3.4, 55.8, -3, 56.1),
    ),
    Window(
        "bristol-midday-001", "Bristol Midday Window", "Bristol", "UK-SW-1", 68, 160,
        "11:00:00Z", "15:00:00Z", 4.7, False,
        "Bristol Grid Zone", "Bristol", "South West England", (-2.8, 51.3, -2.4, 51.6),
    ),
    Window(
        "birmingham-morning-002", "Birmingham Morning Window", "Birmingham", "UK-MID-2", 72, 135,
        "07:00:00Z", "11:00:00Z", 6, False,
        "Birmingham Grid Sector", "Birmingham", "West Midlands", (-1.8, 52.4, -1.3, 52.7),
    ),
    Window(
        "liverpool-evening-001", "Liverpool Evening Window", "Liverpool", "UK-NW-3", 82, 115,
        "17:00:00Z", "21:00:00Z", 5.4, True,
        "Liverpool Grid Circle", "Liverpool", "North West England", (-3.1, 53.3, -2.8, 53.6),
    ),
    Window(
        "glasgow-afternoon-002", "Glasgow Afternoon Window", "Glasgow", "UK-SCOT-4", 88, 105,
        "13:00:00Z", "17:00:00Z", 7, False,
        "Glasgow Grid Cluster", "Glasgow", "Scotland", (-4.4, 55.7, -4, 56),
    ),
    Window(
        "leeds-night-001", "Leeds Night Window", "Leeds", "UK-YORK-2", 78, 125,
        "22:00:00Z", "02:00:00Z", 3.8, False,
        "Leeds Grid Triangle", "Leeds", "Yorkshire", (-1.7, 53.7, -1.2, 54),
    ),
)  # fmt: skip
PRICES = (
    Price("cambridge-morning-001", "Cambridge Morning Compute Slot", 0.102),
    Price("manchester-afternoon-001", "Manchester Afternoon Compute Slot", 0.092),
)

NORDIC_WINDOWS = (
    Window(
        "stockholm-night-001", "Stockholm Night Wind Window", "Stockholm", "SE-NORD-1", 95, 45,
        "22:00:00Z", "06:00:00Z", 8, True,
        "Stockholm Grid Zone", "Stockholm", "Stockholm County", (17.5, 59, 18.5, 59.8), "PT8H", "SE",
    ),
    Window(
        "oslo-hydro-001", "Oslo Hydro Baseload Window", "Oslo", "NO-SOUTH-1", 98, 30,
        "00:00:00Z", "23:59:59Z", 12, True,
        "Oslo Grid Zone", "Oslo", "Oslo County", (10, 59.5, 11, 60.2), "PT24H", "NO",
    ),
    Window(
        "copenhagen-solar-001", "Copenhagen Solar Peak Window", "Copenhagen", "DK-EAST-1", 88, 65,
        "11:00:00Z", "15:00:00Z", 6.5, False,
        "Copenhagen Grid Zone", "Copenhagen", "Capital Region", (12.3, 55.5, 12.8, 55.9), "PT4H", "DK",
    ),
)  # fmt: skip
NORDIC_PRICES = (
    Price("stockholm-night-001", "Stockholm Night Premium Slot", 0.078, "EUR"),
    Price("oslo-hydro-001", "Oslo Hydro Baseload Slot", 0.065, "EUR", "guaranteed"),
    Price("copenhagen-solar-001", "Copenhagen Solar Peak Slot", 0.085, "EUR", "variable"),
)
