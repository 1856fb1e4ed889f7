"""The GB Carbon Intensity API.

- `routes`     what each path answers
- `rows`       half-hours as of an instant
- `printed`    how bodies are written
- `published`  what the API publishes of itself
- `generated`  values for any half-hour, unlike those of the pipelines' synthetic fallback
- `recorded`   values from recorded bodies and time series; where they cover a time, they alone count
- `faults`     bodies as a fault leaves them
"""

from tests.emulator.carbon_intensity.recorded import load
from tests.emulator.carbon_intensity.routes import CarbonIntensity

__all__ = ["CarbonIntensity", "load"]
