"""How the Carbon Intensity API prints: one way for the older routes, another for the newer ones."""

import json
import re
from datetime import datetime

from tests.emulator.carbon_intensity.recorded import Row


def iso(instant: datetime) -> str:
    """As the upstream writes it."""
    return instant.strftime("%Y-%m-%dT%H:%MZ")


def compact(data: object) -> bytes:
    """As /generation, /regional and /intensity/{from}/{to} are printed."""
    return json.dumps({"data": data}, separators=(",", ":")).encode()


def pretty(rows: list[Row]) -> bytes:
    """As the other /intensity routes are printed, with CRLF and blanks of their own."""
    if not rows:
        return b'{ \r\n  "data":[]\r\n}'
    printed = []
    for row in rows:
        text = json.dumps(row, indent=2).replace("\n", "\r\n  ")
        printed.append(re.sub(r'("actual": null,)', r"\1 ", "{ " + text[1:]))
    return ('{ \r\n  "data":[' + ",\r\n  ".join(printed) + "]\r\n}").encode()


def error_400(message: str) -> bytes:
    """The body of a 400."""
    code = "400 Bad Request"
    return f'{{\r\n"error": {{\r\n  "code": "{code}",\r\n  "message": "{message}"\r\n  }}\r\n}}'.encode()
