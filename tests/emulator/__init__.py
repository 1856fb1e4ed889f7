"""A real HTTP server that speaks as the upstreams do, from generated data for any date and from recorded bodies.

`python -m tests.emulator --port 8099 [--recorded DIR]` prints one `export` line a setting.

- `server`            sockets, faults, the log of requests; `Emulator` for tests
- `carbon_intensity`  the routes of the Carbon Intensity API
- `generated`         values for any half-hour, unlike those of the pipelines' synthetic fallback
- `recorded`          values from recorded bodies and time series; where they cover a time, they alone count
- `faults`            what can be made to go wrong, and for which requests
"""

from tests.emulator.server import Emulator

__all__ = ["Emulator"]
