"""Elexon's Insights API: wholesale and imbalance prices, demand and its day-ahead forecast.

- `routes`      what each path answers
- `parameters`  what a request asks for, and what is refused
- `problems`    the bodies of refusals
- `rows`        prices and outturns as of an instant
- `forecasts`   the half-hourly publications of the day-ahead forecast
- `printed`     how bodies are written
- `settlement`  settlement days and periods; `working_days` are those on which settlements are run
- `generated`   values for any half-hour
- `recorded`    values from recorded files; where they cover a time, they alone count
- `faults`      bodies as a fault leaves them
"""

from tests.emulator.elexon.routes import Elexon

__all__ = ["Elexon"]
