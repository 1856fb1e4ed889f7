"""The way in: counts requests, finds the action, and wraps what it gives in CKAN's envelope."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.emulator.neso.actions import ACTIONS
from tests.emulator.neso.catalogue import BASE
from tests.emulator.neso.database import Filled
from tests.emulator.neso.datastore import TIMEOUT_SECONDS, search_sql
from tests.emulator.neso.datastore_search import search
from tests.emulator.neso.errors import ActionError, InternalError, Unavailable
from tests.emulator.neso.faults import spoil
from tests.emulator.neso.limits import BLOCK_PAGE, Limits
from tests.emulator.neso.tables import Tables
from tests.emulator.protocol import Asked, Reply
from warehouse.database import Database

DATASTORE = ("datastore_search", "datastore_search_sql")
JSON = "application/json;charset=utf-8"
HTML = "text/html; charset=utf-8"
PAGE = "<!DOCTYPE html><html><head><title>{0} - NESO Data Portal</title></head><body><h1>{0}</h1></body></html>"
PAGE_404 = PAGE.format("404 Not Found").encode()
PAGE_500 = PAGE.format("500 Internal Server Error").encode()
PAGE_503 = PAGE.format("503 Service Unavailable").encode()


class Neso:
    """Answers for api.neso.energy. `recorded` is the folder of recordings, `server` where its database is made."""

    def __init__(
        self,
        recorded: Path | None,
        now: Callable[[], datetime],
        server: Database | Callable[[], Database] | None,
    ):
        self.enforces_limits = False
        self.timeout_seconds = TIMEOUT_SECONDS
        self._limits = Limits()
        self._tables = Tables(recorded, now)
        self._filled = Filled(self._tables, server)

    @property
    def calls(self) -> Counter[str]:
        """Requests by class: "ckan", "datastore"."""
        return self._limits.calls

    @property
    def over_limit(self) -> Counter[str]:
        """Those of them that came sooner than NESO asks for."""
        return self._limits.over_limit

    def moved(self, resource_id: str, new_id: str) -> None:
        """From now on the resource is known under the new id alone."""
        self._tables.move(resource_id, new_id)

    def rolled(self, resource_id: str, new_id: str, renamed: Mapping[str, str] | None = None) -> None:
        """From now on the new id has the data and the old name, columns renamed; the old id answers as the archive."""
        self._tables.roll(resource_id, new_id, renamed or {})

    def renamed(self, resource_id: str) -> None:
        """From now on the resource is called an archive, and no other has its old name."""
        self._tables.rename(resource_id)

    def touched(self, resource_id: str) -> None:
        """The resource is newer from now on, and what is in it the same."""
        self._tables.touch(resource_id)

    def drop_column(self, resource_id: str, column: str) -> None:
        """From now on the resource lacks this column."""
        self._tables.drop(resource_id, column)

    def put(self, resource_id: str, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str] | None = None) -> None:
        """From now on the resource has these rows; types as known, or as the values suggest."""
        self._tables.put(resource_id, rows, types)

    def fill(self, *resource_ids: str) -> None:
        """Make their tables now, which the first question after them would wait for."""
        self._filled.fill(resource_ids)

    def reset(self) -> None:
        """No changes, no counts, no enforcement."""
        self.enforces_limits = False
        self.timeout_seconds = TIMEOUT_SECONDS
        self._limits.reset()
        self._tables.changes = type(self._tables.changes)()

    def close(self) -> None:
        """Drop the database that was made."""
        self._filled.close()

    def spoil(self, kind: str, body: bytes) -> bytes:
        """A body as a fault leaves it."""
        return spoil(kind, body)

    def answer(self, asked: Asked) -> Reply:
        """What the portal says."""
        found = re.fullmatch(r"/api/(?:3/)?action/(\w+)/?", asked.path)
        action = found[1] if found else ""
        within = self._limits.count("datastore" if action in DATASTORE else "ckan")
        if self.enforces_limits and not within:
            return Reply(403, BLOCK_PAGE, HTML)
        if not found:
            return Reply(200, PAGE_404, HTML)
        if action not in DATASTORE and action not in ACTIONS:
            return _said(400, f"Bad request - Action name not known: {action}")
        try:
            parameters = _parameters(asked)
        except ValueError as error:
            return _said(400, f"Bad request - JSON Error: Error decoding JSON data. Error: {error}")
        return self._act(action, parameters, asked.method)

    def _act(self, action: str, parameters: dict[str, Any], method: str) -> Reply:
        head = f'{{"help": "{BASE}/api/3/action/help_show?name={action}", "success": '
        callback = parameters.pop("callback", None) if method == "GET" else None
        try:
            body = f'{head}true, "result": {self._result(action, parameters)}}}'
        except ActionError as error:
            return Reply(error.status, f'{head}false, "error": {json.dumps(error.error)}}}'.encode(), JSON)
        except InternalError:
            return Reply(500, PAGE_500, HTML)
        except Unavailable:
            return Reply(503, PAGE_503, HTML)
        if callback:
            return Reply(200, f"{callback}({body});".encode(), "application/javascript;charset=utf-8")
        return Reply(200, body.encode(), JSON)

    def _result(self, action: str, parameters: dict[str, Any]) -> str:
        if action == "datastore_search":
            return search(self._filled, self._tables, parameters).decode()
        if action == "datastore_search_sql":
            return json.dumps(search_sql(self._filled, parameters, self.timeout_seconds))
        return json.dumps(ACTIONS[action](self._tables, parameters))


def _said(status: int, text: str) -> Reply:
    """A bare JSON string, outside the envelope."""
    return Reply(status, json.dumps(text).encode(), JSON)


def _parameters(asked: Asked) -> dict[str, Any]:
    """Of the query, or of the JSON body of a POST. Raises ValueError for a body that is no JSON object."""
    if asked.method != "POST" or not asked.body:
        parameters: dict[str, Any] = {}
        for name, value in asked.query:
            before = parameters.get(name)
            parameters[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
        return parameters
    document = json.loads(asked.body)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document
