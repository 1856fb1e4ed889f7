"""The packages of the portal: those that the pipelines may read, and neighbours that a search also finds."""

from tests.emulator.neso.auctions import archived
from tests.emulator.neso.catalogue import Once, Package, Resource, daily, derived_id, once
from tests.emulator.neso.published_demand import DEMAND

EAC_ARCHIVES = {
    2023: "be5c6b0d-a335-4859-93f2-389585b4e9a1", 2024: "ab130833-3ce4-4361-90fb-69fa3cf30f15",
    2025: "be55ee51-b79e-47da-b71e-a0f8865d9d66", 2026: derived_id("eac-2026"), 2027: derived_id("eac-2027"),
}  # fmt: skip
TRADE = (
    Package(
        "day-ahead-power-exchange-prices-nordpool",
        "8e3cc601-1fab-4325-82ca-d8a0daeddf73",
        "Day-Ahead Power Exchange prices (Nord Pool)",
        "trade-data",
        "Hourly day-ahead price of the GB N2EX auction, in GBP per MWh. Delivery periods are in GMT.",
        ("Day Ahead", "N2EX", "Nord Pool", "Price"),
        "Daily",
        (
            Resource(
                "4f27eea5-7038-4f73-9740-e3e4ad47c26a", " N2EX GB Day-Ahead Price", daily("00:05:00"), modified="stale",
                description="Price of each hour of delivery.",
            ),
        ),
    ),
    Package(
        "historic-gtma-grid-trade-master-agreement-trades-data",
        derived_id("historic-gtma"),
        "Historic GTMA (Grid Trade Master Agreement) Trades Data",
        "trade-data",
        "Volume and price of trades made under the Grid Trade Master Agreement.",
        ("GTMA", "Trades"),
        "Monthly",
        (
            Resource(
                derived_id("gtma-26-27"), "Historic GTMA Trades FY 26-27", daily("10:00:00"), modified="never"
            ),
        ),
    ),
)  # fmt: skip

BALANCING = (
    Package(
        "current-balancing-services-use-of-system-bsuos-data",
        "d6a4bf54-c63f-4014-a716-49fd3878ca52",
        "Current Balancing Services Use of System (BSUoS) Data",
        "balancing",
        "Half-hourly charge for balancing the system: tariff (price in £/MWh), volume and cost, by settlement run.",
        ("BSUoS", "Charges", "Price"),
        "Daily",
        (
            Resource(
                "0eda5e28-1dc6-48da-8663-c00e12f2a1e2", "Current II BSUoS Data", daily("11:32:20.516878"), "ii.csv"
            ),
            Resource(
                "f0060fd0-1fc9-4288-a0b3-4af9b592b0cf", "Current SF BSUoS Data", daily("11:42:20.516878"), "sf.csv"
            ),
            Resource(
                "26b0f410-27d4-448a-9437-45277818b838", "Current RF BSUoS Data", daily("11:52:20.516878"), "rf.csv"
            ),
        ),
    ),
    Package(
        "daily-balancing-costs-balancing-services-use-of-system",
        "d13d78fc-60d9-4f4d-87b6-e25a20f669c0",
        "Daily Balancing Costs (Balancing Services Use of System)",
        "balancing",
        "Cost of balancing actions by settlement period and category.",
        ("Balancing", "Costs"),
        "Daily",
        (
            Resource(
                "1d040751-f77f-4641-9130-d49f8cbfe54f", "Daily Balancing Costs 2026-2027", daily("11:18:19.357113"),
                "q1_cost_fy2627.csv",
            ),
            Resource(
                "46183ba7-48df-4318-9b4b-06828348d46e", "Daily Balancing Costs 2025-2026",
                once("2026-04-07T10:24:13.342330"), "q1_cost_fy2526.csv",
            ),
            Resource(
                "bfd081bc-9642-4ed6-9f37-60c5cbe26bef", "Missing Settlement Periods since January 2017",
                once("2025-08-08T09:51:17.477156"), "missing_dates_periods.xlsx", format="XLSX",
            ),
        ),
    ),
)  # fmt: skip

ANCILLARY = (
    Package(
        "eac-auction-results",
        "291e3c28-75f2-4a8f-b5f5-008bebaac368",
        "EAC (Enduring Auction Capability) Auction Results",
        "ancillary-services",
        "Results of the daily auctions of response and reserve: cleared volume and clearing price of each product.",
        ("Dynamic Containment", "Dynamic Moderation", "Dynamic Regulation", "EAC", "Reserve"),
        "Daily",
        (
            Resource(
                "a63ab354-7e68-44c2-ad96-c6f920c30e85", "NESO Response-Reserve Results By Unit",
                once("2026-04-15T11:43:07.338503"),
                description="Cleared quantity and clearing price of each accepted unit.",
            ),
            Resource(
                "596f29ac-0387-4ba4-a6d3-95c243140707", "NESO Response-Reserve Results Summary", daily("14:40:00"),
                modified="stale", description="Cleared volume and clearing price of each service window.",
            ),
            Resource(
                "1cf68f59-8eb8-4f1d-bccf-11b5a47b24e5", "NESO Response-Reserve Buy Orders",
                once("2026-04-15T11:44:07.338503"),
            ),
            *(
                Resource(
                    resource_id, f"NESO Response-Reserve Results Summary FY{year} (Archive)",
                    Once(archived(year)),
                    f"neso-response-reserve-results-summary-fy{year}-archive.csv", appears=archived(year),
                )
                for year, resource_id in EAC_ARCHIVES.items()
            ),
            Resource(
                "7505ec16-e1e7-432e-8abd-a554e03e4f02", "NESO Response-Reserve Results By Unit FY2023 (Archive)",
                once("2026-04-15T11:14:07.744257"), "neso-response-reserve-results-by-unit-fy2023-archive.csv",
            ),
        ),
    ),
    Package(
        "aggregated-bsad",
        "69c869a5-e6c6-4f48-852b-395a05882ef9",
        "Aggregated BSAD (Balancing Services Adjustment Data)",
        "ancillary-services",
        "Balancing services adjustment data by settlement period.",
        ("BSAD",),
        "Daily",
        (
            Resource(
                "44d1e962-1791-4f33-957b-9f090ffc4359", "Aggregated BSAD 2026-27", daily("09:00:00"), modified="never"
            ),
            Resource(
                "06a87c3d-d214-469b-84d6-ad05d745433c", "Aggregated BSAD 2025-26", once("2026-04-01T09:00:00"),
                modified="never",
            ),
        ),
    ),
)  # fmt: skip

FLEXIBILITY = (
    Package(
        "demand-flexibility",
        "829e325f-8926-40ab-9dd6-8b7aea6cb244",
        "Demand Flexibility Service",
        "dfs",
        "Requirements for flexible demand, the bids that answered them with their utilisation price, and the outcome.",
        ("DFS", "Demand Flexibility"),
        "Ad hoc",
        (
            Resource(
                "f5605e2b-b677-424c-8df7-d0ce4ee03cef", "DFS Service Requirement (Archive 2025/2026)",
                once("2026-03-27T10:45:09.034050"), "dfs-service-requirement.csv",
            ),
            Resource(
                "3d042450-b556-450f-a4b5-cdb075cdf9c1", "DFS Industry Notification (Archive 2025/2026)",
                once("2026-03-27T10:44:31.904341"), "dfs-industry-notification.csv",
            ),
            Resource(
                "cc36fff5-5f6f-4fde-8932-c935d982ecd8", "DFS Utilisation Report (Archive 2025/2026)",
                once("2026-03-27T12:04:05.656144"), "dfs-utilisation-report.csv",
            ),
            Resource(
                "25698259-0b66-42f0-ac59-ef0df5245812", "DFS Utilisation Report Summary (Archive 2025/2026)",
                once("2026-04-09T08:55:59.349201"), "dfs-utilisation-report-summary.csv",
            ),
            Resource(
                "3635fd80-49d7-4d02-964d-cc8c08d50302", "DFS Service Requirement", daily("09:48:09.953392"),
                "dfs-service-requirement.csv",
            ),
            Resource(
                "705e573c-ddac-4675-b410-82916b35c4fe", "DFS Utilisation Report Summary", daily("11:06:52.944763"),
                "dfs-utilisation-report-summary.csv",
            ),
            Resource(
                "3ebf77d7-05df-466e-a023-dc45a90efeea", "DFS Utilisation Report", daily("11:06:32.694169"),
                "dfs-utilisation-report.csv",
            ),
        ),
    ),
    Package(
        "demand-flexibility-service",
        "e5277fca-2a2b-4836-933b-f24a676b9ed8",
        "Demand Flexibility Service 2023/24",
        "dfs",
        "Requirements and utilisation of the service in the winter of 2023/24.",
        ("DFS", "Demand Flexibility"),
        "Never",
        (
            Resource(
                "94b4d470-a54e-41d7-ae6e-be158db9b9d4", "DFS Industry Notification",
                once("2024-03-21T11:54:07.592418"), "dfs-industry-notification.csv",
            ),
            Resource(
                "7914dd99-fe1c-41ba-9989-5784531c58bb", "DFS Service Requirements",
                once("2024-03-14T12:00:12.712070"), "dfs-service-requirements.csv",
            ),
        ),
    ),
)  # fmt: skip

CARBON = (
    Package(
        "national-carbon-intensity-forecast",
        derived_id("national-carbon-intensity-forecast"),
        "National Carbon Intensity Forecast",
        "carbon-intensity1",
        "Forecast and estimated carbon intensity of electricity in Great Britain, gCO2/kWh.",
        ("Carbon Intensity", "Forecast"),
        "Half-hourly",
        (
            Resource(
                "0e5fde43-2de7-4fb4-833d-c7bca3b658b0", "National Carbon Intensity Forecast", daily("05:00:00"),
                "national_ci_forecast.csv",
            ),
        ),
    ),
    Package(
        "regional-carbon-intensity-forecast",
        derived_id("regional-carbon-intensity-forecast"),
        "Regional Carbon Intensity Forecast",
        "carbon-intensity1",
        "Forecast carbon intensity of electricity in each licence area, gCO2/kWh.",
        ("Carbon Intensity", "Forecast", "Regional"),
        "Half-hourly",
        (
            Resource(
                "c16b0e19-c02a-44a8-ba05-4db2c0545a2a", "Regional Carbon Intensity Forecast", daily("05:05:00"),
                "regional_ci_forecast.csv",
            ),
        ),
    ),
    Package(
        "historic-generation-mix",
        "88313ae5-94e4-4ddc-a790-593554d8c6b9",
        "Historic generation mix and carbon intensity",
        "carbon-intensity1",
        "Generation by fuel and carbon intensity since 2009.",
        ("Carbon Intensity", "Generation"),
        "Daily",
        (
            Resource(
                "f93d1835-75bc-43e5-84ad-12472b180a98", "Historic GB Generation Mix", daily("18:21:07.098698"),
                "df_fuel_ckan.csv",
            ),
        ),
    ),
)  # fmt: skip

OTHER = (
    Package(
        "daily-wind-availability",
        "3758a0ed-6c96-4e36-88d0-107f5020ddf3",
        "Daily Wind Availability",
        "generation",
        "Availability of wind farms for the coming days.",
        ("Availability", "Wind"),
        "Daily",
        (
            Resource(
                "7aa508eb-36f5-4298-820f-2fa6745ae2e7", "Daily Wind Availability", daily("18:20:11.953941"),
                "windavailability.csv",
            ),
        ),
    ),
    Package(
        "gis-boundaries-for-gb-grid-supply-points",
        derived_id("gsp"),
        "GIS Boundaries for GB Grid Supply Points",
        "system",
        "Shapes of the areas of the grid supply points.",
        ("GIS", "GSP"),
        "Annually",
        (
            Resource(
                derived_id("gsp-2026"), "GSP Regions 20260209", once("2026-02-10T09:00:00"), "gsp_regions.zip",
                format="ZIP",
            ),
        ),
    ),
)  # fmt: skip

PACKAGES: tuple[Package, ...] = (*DEMAND, *TRADE, *BALANCING, *ANCILLARY, *FLEXIBILITY, *CARBON, *OTHER)
