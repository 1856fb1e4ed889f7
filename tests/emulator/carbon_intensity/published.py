"""What the Carbon Intensity API publishes of itself: regions, bands of the index, factors, its first half-hours."""

from datetime import UTC, datetime, timedelta

HORIZON = timedelta(hours=48)
EARLIEST = {
    "national": datetime(2017, 9, 11, 23, 0, tzinfo=UTC),
    "generation": datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    "regional": datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
}
BANDS = {
    2017: (100, 200, 300, 400), 2018: (80, 180, 280, 380), 2019: (60, 160, 260, 360), 2020: (55, 150, 230, 350),
    2021: (50, 140, 220, 330), 2022: (45, 130, 210, 310), 2023: (40, 120, 200, 290), 2024: (35, 110, 190, 270),
    2025: (30, 100, 180, 250), 2026: (25, 90, 170, 230), 2027: (20, 80, 160, 210), 2028: (15, 70, 150, 190),
    2029: (10, 60, 140, 170), 2030: (5, 50, 130, 150),
}  # fmt: skip
NAMES = {
    1: ("North Scotland", "Scottish Hydro Electric Power Distribution"), 2: ("South Scotland", "SP Distribution"),
    3: ("North West England", "Electricity North West"), 4: ("North East England", "NPG North East"),
    5: ("Yorkshire", "NPG Yorkshire"), 6: ("North Wales & Merseyside", "SP Manweb"), 7: ("South Wales", "WPD South Wales"),
    8: ("West Midlands", "WPD West Midlands"), 9: ("East Midlands", "WPD East Midlands"), 10: ("East England", "UKPN East"),
    11: ("South West England", "WPD South West"), 12: ("South England", "SSE South"), 13: ("London", "UKPN London"),
    14: ("South East England", "UKPN South East"), 15: ("England", "England"), 16: ("Scotland", "Scotland"),
    17: ("Wales", "Wales"), 18: ("GB", "GB"),
}  # fmt: skip
OUTCODES = {"EN2": 10, "BS7": 11, "BS16": 11, "BH1": 12, "DE74": 9, "SW1": 13, "EH1": 2, "M1": 3, "CF10": 7}
NATIONS = {"england": 15, "scotland": 16, "wales": 17}
FACTORS = {
    "Biomass": 120, "Coal": 937, "Dutch Imports": 474, "French Imports": 53, "Gas (Combined Cycle)": 394,
    "Gas (Open Cycle)": 651, "Hydro": 0, "Irish Imports": 458, "Nuclear": 0, "Oil": 935, "Other": 300,
    "Pumped Storage": 0, "Solar": 0, "Wind": 0,
}  # fmt: skip
