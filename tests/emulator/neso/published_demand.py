"""The packages of demand, its forecasts, and embedded generation."""

from datetime import UTC, datetime

from tests.emulator.neso.catalogue import Package, Resource, daily, derived_id, once

HISTORIC = {
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
    2027: derived_id("historic-2027"), 2028: derived_id("historic-2028"),
}  # fmt: skip
UPDATE = "177f6fa4-ae49-4182-81ea-0c6b35f26ca6"
ONE_DAY, ONE_DAY_ARCHIVE = "aec5601a-7f3e-4c4c-bf56-d8e4184d3c5b", "9847e7bb-986e-49be-8138-717b25933fbb"
TWO_DAYS, TWO_DAYS_ARCHIVE = "cda26f27-4bb6-4632-9fb5-2d029ca605e1", "24abd271-5936-45c7-85f4-2a6b450ef6b7"
SEVEN_DAYS, SEVEN_DAYS_ARCHIVE = "70d3d674-15a6-4e41-83b4-410440c0b0b9", "6f7408b4-47fd-4ae7-b1e5-f095a3a5a2dc"
FORTNIGHT, FORTNIGHT_ARCHIVE = "9af18ed4-efc8-4779-bef5-c0927fee9b0a", "4dd712a2-ee2c-455d-a9c0-9d3564c80fa0"
HALF_HOURLY = "7c0411cd-2714-4bb5-a408-adb065edf34d"
PERFORMANCE = "08e41551-80f8-4e28-a416-ea473a695db9"
EMBEDDED = "db6c038f-98af-4570-ab60-24d71ebd0ae5"
_EMBEDDED_ARCHIVES = {
    2019: "bc4d1093-ecf2-46d8-b207-7a0e3e8fb957", 2020: "8a7249d4-ee67-45aa-9641-a3e063f54dba",
    2021: "794107f5-8567-4b32-ae3a-6817fec73e5c", 2022: "07b0b42c-5152-4fc5-bcd1-e10ec8ec07de",
    2023: "26c9ef64-ce43-4e22-b984-ef013636aacb", 2024: "06abd00a-ef6b-488b-9b6d-5e08fdc0c890",
    2025: "fc13df13-2dad-4a1c-b9e3-4569efba4955",
}  # fmt: skip
_SAMPLE = "2019-12-12T15:01:08.405123"
_FAQ = "2024-10-21T13:26:14.945315"


def year_file_appears(year: int) -> datetime:
    """When a year's file is made: weeks after its first day, while Demand Data Update still begins with January."""
    return datetime(year, 2, 15, 10, tzinfo=UTC)


def _historic(year: int) -> Resource:
    return Resource(
        HISTORIC[year],
        f"Historic Demand Data {year}",
        daily("08:25:30.118224", until=f"{max(year, 2022) + 1}-03-10T10:{year % 60:02}:00.250114"),
        f"demanddata_{year}.csv" if year < 2026 else f"demanddataupdate_{year}.csv",
        f"Half-hourly demand of {year} by settlement period.",
        appears=year_file_appears(year) if year > 2022 else None,
    )


def _forecast_package(
    name: str, package_id: str, title: str, days: int, sample: str, current: Resource, archive: Resource
) -> Package:
    return Package(
        name,
        package_id,
        title,
        "demand",
        f"Forecast of national demand {days} day(s) ahead at the cardinal points of the day, in MW.",
        ("Cardinal Points", "Demand", "Forecast"),
        "Daily",
        (
            current,
            Resource(sample, "Demand Curve - Sample", once(_SAMPLE), "cardinal-points.png", format="PNG"),
            archive,
        ),
    )


DEMAND = (
    Package(
        "historic-demand-data",
        "8f2fe0af-871c-488d-8bad-960426f24601",
        "Historic Demand Data",
        "demand",
        "Demand, embedded generation and interconnector flows by settlement period since 2001, in MW.",
        ("Demand", "Historic", "Interconnectors"),
        "Twice a year",
        (
            *(_historic(year) for year in HISTORIC),
            Resource(
                "243ca76a-eefe-419d-a4b5-397073deb100", "Frequently Asked Questions (FAQ)", once(_FAQ),
                "faq-neso.docx", format="DOC",
            ),
        ),
    ),
    Package(
        "daily-demand-update",
        "7a12172a-939c-404c-b581-a6128b74f588",
        "Demand Data Update",
        "demand",
        "Demand since the first day of the previous month, and embedded generation for a week ahead, in MW.",
        ("Demand", "Embedded", "Outturn"),
        "Daily",
        (
            Resource(UPDATE, "Demand Data Update", daily("08:20:19.247563"), "demanddataupdate.csv"),
            Resource(
                "974b8c00-9058-4883-bf34-268e53ed9d15", "Frequently Asked Questions (FAQ)", once(_FAQ),
                "faq-neso.docx", format="DOC",
            ),
        ),
    ),
    _forecast_package(
        "1-day-ahead-demand-forecast", "8fbc8a09-06af-4c90-886f-d3025d38a349", "1 Day Ahead Demand Forecast", 1,
        "bcc91aed-76fd-4114-86b8-7c83de23b35c",
        Resource(
            ONE_DAY, "Day Ahead National Demand Forecast", daily("08:00:02.217379"), "ng_demand_1da_{+1}.csv"
        ),
        Resource(
            ONE_DAY_ARCHIVE, "Historic Day Ahead Demand Forecasts", daily("08:00:24.241615"), "archive_1dayahead.csv"
        ),
    ),
    _forecast_package(
        "2-day-ahead-demand-forecast", "836df27e-e92c-45bf-80c0-a197e7c0ece3", "2 Day Ahead Demand Forecast", 2,
        "607621c1-20c1-4b29-81e1-16156d04b13f",
        Resource(TWO_DAYS, "2 Day Ahead Demand Forecast", daily("15:15:02.292249"), "ng_demand_2da_{+2}.csv"),
        Resource(
            TWO_DAYS_ARCHIVE, "Historic 2 Day Ahead Demand Forecasts", daily("15:15:12.391749"),
            "archive_2dayahead.csv",
        ),
    ),
    _forecast_package(
        "7-day-ahead-national-forecast", "2b90a483-f59d-455b-be6d-3cb4c13a85d0", "7 Day Ahead National Forecast", 7,
        "2be09dad-2569-4fca-b4a9-92219e89c063",
        Resource(SEVEN_DAYS, "7 Day Ahead Demand Forecast", daily("15:15:02.234605"), "ng_demand_7da_{+7}.csv"),
        Resource(
            SEVEN_DAYS_ARCHIVE, "Historic 7 Day Ahead Demand Forecasts", daily("15:15:13.193804"),
            "archive_7dayahead.csv",
        ),
    ),
    Package(
        "2-14-days-ahead-national-demand-forecast",
        "633daec6-3e70-444a-88b0-c4cef9419d40",
        "2-14 Days Ahead National Demand Forecast",
        "demand",
        "Forecast of national demand 2 to 14 days ahead, at cardinal points and by half-hour, in MW.",
        ("Cardinal Points", "Demand", "Forecast", "Half-hourly"),
        "Daily",
        (
            Resource(
                FORTNIGHT_ARCHIVE, "Historic 2-14 Day Ahead Demand Forecasts", daily("15:21:38.048407"),
                "archive_14dayahead.csv",
            ),
            Resource(
                FORTNIGHT, "2-14 Days Ahead Cardinal Point Forecast", daily("15:20:01.835576"),
                "ng_demand_14da_{+14}.csv",
            ),
            Resource(
                HALF_HOURLY, "2-14 Days Ahead Half Hourly Forecast", daily("15:21:44.332869"), "ng-demand-14da-hh.csv"
            ),
        ),
    ),
    Package(
        "day-ahead-half-hourly-demand-forecast-performance",
        "5281b494-5566-42dd-bf1a-9ce38642fabf",
        "Day Ahead Half Hourly Demand Forecast Performance",
        "demand",
        "The half-hourly forecast of national demand made the day before, with the outturn and the error.",
        ("Demand", "Forecast", "Half-hourly", "Incentive"),
        "Monthly",
        (
            Resource(
                PERFORMANCE, "Day Ahead Half Hourly Demand Forecast Performance", daily("09:15:08.465658"),
                "1b-incentive.csv",
            ),
        ),
    ),
    Package(
        "embedded-wind-and-solar-forecasts",
        "91c0c70e-0ef5-4116-b6fa-7ad084b5e0e8",
        "Embedded Wind and Solar Forecasts",
        "generation",
        "Forecast of wind and solar generation that is connected to the distribution networks, in MW.",
        ("Embedded", "Forecast", "Solar", "Wind"),
        "Hourly",
        (
            Resource(
                EMBEDDED, "Embedded Solar and Wind Forecast", daily("06:25:03.877001"), "{+0}_embedded_forecast.csv"
            ),
            *(
                Resource(
                    resource_id, f"Embedded Solar and Wind Forecast Archive {year}",
                    once("2025-05-23T09:32:48.819542" if year < 2025 else "2026-01-17T07:00:51.043062"),
                    f"embedded_archive_{year}.csv",
                )
                for year, resource_id in _EMBEDDED_ARCHIVES.items()
            ),
            Resource(
                "31861619-0b86-47ba-bac2-d008a760af54", "Embedded Solar and Wind Forecast Archive 2026",
                once("2026-07-28T16:19:45.553879"),
            ),
        ),
    ),
)  # fmt: skip
