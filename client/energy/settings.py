"""What a user sets in the environment: where the service is, the token, and where this machine stands."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

DEFAULT_URL = "http://127.0.0.1:8040"


@dataclass(frozen=True)
class Settings:
    """ENERGY_URL, ENERGY_TOKEN, ENERGY_PLACE (a region's number, a postcode, `51.5,-0.1`, a city or `aws:eu-west-2`), and
    ENERGY_PATIENCE_SECONDS: for so long work waits for the service at most before it begins without it."""

    url: str = DEFAULT_URL
    token: str | None = field(default=None, repr=False)
    place: str | None = None
    patience_seconds: float = 3.0

    @classmethod
    def read(cls) -> Settings:
        """From the environment; what is empty is not set. Raises ValueError."""
        try:
            patience = float(os.environ.get("ENERGY_PATIENCE_SECONDS") or cls.patience_seconds)
        except ValueError:
            patience = 0
        if not 0 < patience < 3600:
            raise ValueError("ENERGY_PATIENCE_SECONDS is a number of seconds, such as 3")
        return cls(
            url=(os.environ.get("ENERGY_URL") or DEFAULT_URL).rstrip("/"),
            token=os.environ.get("ENERGY_TOKEN") or None,
            place=os.environ.get("ENERGY_PLACE") or None,
            patience_seconds=patience,
        )
