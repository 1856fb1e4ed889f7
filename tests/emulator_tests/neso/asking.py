"""What is asked of the emulated portal, and what is in its answers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.conftest import RECORDED_DIR
from tests.emulator.neso import Neso
from tests.emulator.protocol import Asked, Reply

N2EX = "4f27eea5-7038-4f73-9740-e3e4ad47c26a"
EAC = "596f29ac-0387-4ba4-a6d3-95c243140707"
EAC_2024, EAC_2025 = "ab130833-3ce4-4361-90fb-69fa3cf30f15", "be55ee51-b79e-47da-b71e-a0f8865d9d66"
DFS = "3635fd80-49d7-4d02-964d-cc8c08d50302"
OTHER_ID = "00000000-1111-2222-3333-444444444444"
FILES = (RECORDED_DIR or Path()) / "neso"
NOW = datetime(2026, 10, 8, 12, 35, tzinfo=UTC)


class Clock:
    now = NOW


def get(neso: Neso, action: str, **parameters: object) -> Reply:
    return neso.answer(Asked("GET", f"/api/3/action/{action}?{urlencode(parameters)}"))


def post(neso: Neso, action: str, body: bytes) -> Reply:
    return neso.answer(Asked("POST", f"/api/3/action/{action}", body, "application/json"))


def result(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    document = json.loads(reply.body)
    assert document["success"] is True
    return document["result"]


def error(reply: Reply) -> tuple[int, Any]:
    document = json.loads(reply.body)
    assert document["success"] is False
    assert document["help"].startswith("https://api.neso.energy/api/3/action/help_show?name=")
    return reply.status, document["error"]


def sql(neso: Neso, statement: str) -> Any:
    return result(get(neso, "datastore_search_sql", sql=statement))


def rows(neso: Neso, resource_id: str, more: str = 'order by "_id"') -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = sql(neso, f'select * from "{resource_id}" {more}')["records"]
    return records


def types(neso: Neso, resource_id: str) -> dict[str, str]:
    fields = sql(neso, f'select * from "{resource_id}" limit 0')["fields"]
    return {field["id"]: field["type"] for field in fields if not field["id"].startswith("_")}
