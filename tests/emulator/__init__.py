"""A real HTTP server that speaks as the upstreams do, from generated data for any date and from recorded bodies.

`python -m tests.emulator --port 8099 [--recorded DIR]` prints one `export` line a setting.

- `server`            sockets, faults, the log of requests; `Emulator` for tests
- `protocol`          what the server and an upstream say to each other
- `faults`            what can be made to go wrong, and for which requests
- `carbon_intensity`  the Carbon Intensity API
- `neso`              NESO's data portal: CKAN 2.8.7 over a PostgreSQL database
- `elexon`            Elexon's Insights API
- `beckn`             the Beckn compute-energy sandbox
"""

from tests.emulator.server import Emulator

__all__ = ["Emulator"]
