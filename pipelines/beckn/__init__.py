"""The Beckn compute-energy sandbox (DEG): grid zones with windows for compute, their grid parameters and offers.

- `context`    who asks whom: the context of every message, with ids of its own
- `datasets`   the catalogue, as a snapshot: it lands when its message changed
- `shapes`     the catalogue as typed models, deployed and documented form alike
- `responses`  bodies validated; the forms of a refusal (NACK)
- `synthetic`  a catalogue of the same shape for when the sandbox is gone
- `orders`     select, init, confirm, status: one message each, answered at once
- `source`     all of it as a dlt source

Facts about the upstream: docs/sources/beckn.md.
"""

from pipelines.beckn.datasets import DATASETS

__all__ = ["DATASETS"]
