"""The one table of what is read of NESO's data portal: package, resource, columns wanted.

A resource is requested by its id. CKAN may make a resource anew under another id; then it is found again by its name.
"""

from dataclasses import dataclass, replace
from datetime import date

UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"
"""Of a resource that is newer than this table: no resource has it, so that it is found by its name."""


@dataclass(frozen=True)
class Resource:
    """A file of a dataset of the portal that the datastore can be asked about."""

    package: str
    id: str
    name: str
    columns: tuple[str, ...]
    reports_changes: bool = True
    """Whether its `last_modified` moves whenever its rows do. Of files it does; of tables that are written to it stays."""
    kept_in: "Resource | None" = None
    """Where its rows are while it does not exist yet."""
    may_not_exist_yet: bool = False
    """Whether it is no fault that nothing has its id or name: a dataset that begins earlier still has its rows."""


_DEMAND = (
    "SETTLEMENT_DATE", "SETTLEMENT_PERIOD", "ND", "TSD", "ENGLAND_WALES_DEMAND", "EMBEDDED_WIND_GENERATION",
    "EMBEDDED_SOLAR_GENERATION",
)  # fmt: skip
_HISTORY_IDS = {
    2001: "e8608e9a-f56c-457f-b9e7-bfffcfd19731", 2002: "4daaac31-ae56-461e-8efe-6b33e147225a",
    2003: "30650247-acbf-414d-8ae2-2aa4aac57537", 2004: "5f5c076c-d3a3-4f33-a137-501cc3d2ca9b",
    2005: "42a41acd-53b6-450d-af1b-4a92a352895c", 2006: "949bb4a4-8374-4730-89ef-302d82428d2c",
    2007: "c0da767c-447d-48d1-93fd-ca3955d078ae", 2008: "ec63adc8-e8a1-45cc-a593-5953b1ede7b1",
    2009: "ed8a37cb-65ac-4581-8dbc-a3130780da3a", 2010: "b3eae4a5-8c3c-4df1-b9de-7db243ac3a09",
    2011: "01522076-2691-4140-bfb8-c62284752efd", 2012: "4bf713a2-ea0c-44d3-a09a-63fc6a634b00",
    2013: "2ff7aaff-8b42-4c1b-b234-9446573a1e27", 2014: "b9005225-49d3-40d1-921c-03ee2d83a2ff",
    2015: "cc505e45-65ae-4819-9b90-1fbb06880293", 2016: "3bb75a28-ab44-4a0b-9b1c-9be9715d3c44",
    2017: "2f0f75b8-39c5-46ff-a914-ae38088ed022", 2018: "fcb12133-0db0-4f27-a4a5-1669fd9f6d33",
    2019: "dd9de980-d724-415a-b344-d8ae11321432", 2020: "33ba6857-2a55-479f-9308-e5c4c53d4381",
    2021: "18c69c42-f20d-46f0-84e9-e279045befc6", 2022: "bb44a1b5-75b1-4db2-8491-257f23385006",
    2023: "bf5ab335-9b40-4ea4-b93a-ab4af7bce003", 2024: "f6d02c0f-957b-48cb-82ee-09003f2ba759",
    2025: "b2bde559-3455-4021-b179-dfe60c0337b0", 2026: "8a4a771c-3929-4e56-93ad-cdf13219dea5",
}  # fmt: skip
DEMAND_HISTORY = {
    year: Resource("historic-demand-data", id_, f"Historic Demand Data {year}", _DEMAND)
    for year, id_ in _HISTORY_IDS.items()
}


def demand_history(year: int, today: date) -> Resource:
    """Historic Demand Data of a year, those included that come after this table.

    The file of a year that has just begun may not exist yet. Until March its rows are in Demand Data Update, which begins with the
    month before.
    """
    name = f"Historic Demand Data {year}"
    resource = DEMAND_HISTORY.get(year) or Resource("historic-demand-data", UNKNOWN_ID, name, _DEMAND)
    return replace(resource, may_not_exist_yet=today < year_file_exists(year))


def year_file_exists(year: int) -> date:
    """From when on a year's file must exist, because nothing else has its January any more."""
    return date(year, 3, 1)


DEMAND_UPDATE = Resource(
    "daily-demand-update",
    "177f6fa4-ae49-4182-81ea-0c6b35f26ca6",
    "Demand Data Update",
    (*_DEMAND, "FORECAST_ACTUAL_INDICATOR"),
)
_CARDINAL = ("TARGETDATE", "FORECASTDEMAND", "CARDINALPOINT", "CP_TYPE", "CP_ST_TIME", "CP_END_TIME")
DAY_AHEAD_CARDINAL = Resource(
    "1-day-ahead-demand-forecast",
    "aec5601a-7f3e-4c4c-bf56-d8e4184d3c5b",
    "Day Ahead National Demand Forecast",
    _CARDINAL,
)
DAY_AHEAD_CARDINAL_ARCHIVE = Resource(
    "1-day-ahead-demand-forecast",
    "9847e7bb-986e-49be-8138-717b25933fbb",
    "Historic Day Ahead Demand Forecasts",
    (*_CARDINAL, "FORECAST_TIMESTAMP"),
)
TWO_TO_14_DAYS_AHEAD = Resource(
    "2-14-days-ahead-national-demand-forecast",
    "7c0411cd-2714-4bb5-a408-adb065edf34d",
    "2-14 Days Ahead Half Hourly Forecast",
    ("DATE", "CTIME", "GDATETIME", "NATIONALDEMAND"),
)
DAY_AHEAD = Resource(
    "day-ahead-half-hourly-demand-forecast-performance",
    "08e41551-80f8-4e28-a416-ea473a695db9",
    "Day Ahead Half Hourly Demand Forecast Performance",
    ("Date", "Settlement_Period", "Demand_Forecast", "Publish_Datetime"),
)
N2EX = Resource(
    "day-ahead-power-exchange-prices-nordpool",
    "4f27eea5-7038-4f73-9740-e3e4ad47c26a",
    " N2EX GB Day-Ahead Price",
    ("Date", "Delivery Period", "Price"),
    reports_changes=False,
)
_EAC = ("auctionProduct", "serviceType", "deliveryStart", "deliveryEnd", "clearedVolume", "clearingPrice")
_EAC_NAME = "NESO Response-Reserve Results Summary"
EAC_CURRENT = Resource(
    "eac-auction-results", "596f29ac-0387-4ba4-a6d3-95c243140707", _EAC_NAME, _EAC, reports_changes=False
)
EAC_ARCHIVES = {
    year: Resource("eac-auction-results", id_, f"{_EAC_NAME} FY{year} (Archive)", _EAC)
    for year, id_ in {
        2023: "be5c6b0d-a335-4859-93f2-389585b4e9a1",
        2024: "ab130833-3ce4-4361-90fb-69fa3cf30f15",
        2025: "be55ee51-b79e-47da-b71e-a0f8865d9d66",
    }.items()
}
"""By the year in which the financial year began (1 April); the current one is in EAC_CURRENT."""


def eac_results(year: int, current: int) -> Resource:
    """Auction results of a financial year, given the one that is under way."""
    if year >= current:
        return EAC_CURRENT
    name = f"{_EAC_NAME} FY{year} (Archive)"
    archive = EAC_ARCHIVES.get(year) or Resource("eac-auction-results", UNKNOWN_ID, name, _EAC)
    # the archive of the year just ended appears weeks later
    return replace(archive, kept_in=EAC_CURRENT) if year == current - 1 else archive


DFS_UTILISATION = Resource(
    "demand-flexibility",
    "3ebf77d7-05df-466e-a023-dc45a90efeea",
    "DFS Utilisation Report",
    (
        "Delivery Date", "From_UTC", "To_UTC", "Event Type", "DFS Unit ID", "DFS Procured MW", "Service Requirement Type",
        "Utilisation Price GBP per MWh", "Status",
    ),
    reports_changes=False,
)  # fmt: skip
LOADED = (
    *DEMAND_HISTORY.values(), DEMAND_UPDATE, DAY_AHEAD_CARDINAL, DAY_AHEAD_CARDINAL_ARCHIVE, TWO_TO_14_DAYS_AHEAD,
    DAY_AHEAD, N2EX, EAC_CURRENT, *EAC_ARCHIVES.values(), DFS_UTILISATION,
)  # fmt: skip
