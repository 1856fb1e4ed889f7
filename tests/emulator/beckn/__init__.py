"""The Beckn DEG compute-energy sandbox: windows of grid flexibility on discover, and orders for them.

- `routes`     the adapter in front: paths, what it refuses, what it hands on
- `discover`   the catalogue service: validation, filters, what is found
- `jsonpath`   filter expressions, read leniently
- `reach`      the values and comparisons in them
- `catalogue`  the generated catalogue, of the deployed shape
- `windows`    the numbers behind it
- `recorded`   the catalogue and the order messages from recorded files; where there are some, they alone count
- `changes`    what a test has changed of items and offers
- `stock`      catalogues as the switches have them, before they are filtered
- `shapes`     what is found, in the shapes that the switches ask for
- `orders`     the canned provider behind select, init, confirm and the rest
- `pending`    callers that wait for a callback
- `problems`   the bodies of refusals
- `switches`   everything that can be switched on
- `faults`     bodies as a fault leaves them
"""

from tests.emulator.beckn.routes import Beckn
from tests.emulator.beckn.switches import Switches

__all__ = ["Beckn", "Switches"]
