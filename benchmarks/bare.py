"""A service without a purpose: the same pool, the same uvicorn, a route with one INSERT and two with one query each.

`python -m benchmarks.bare <database>`
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI

from service.shapes import TaskRequest
from service.tenancy import pool
from warehouse.database import parse

SERIES = """
select period_start, period_end, forecast_gco2_kwh::float8, is_synthetic, fetched_at from carbon_intensity_national
where period_start >= %s and period_start < %s and forecast_gco2_kwh is not null order by period_start
"""
WINDOWS = "select * from best_windows(%s, %s, %s, null, %s) order by rank limit 10"
WEIGHTS = '{"carbon": 0.264, "price": 0}'


def serve(url: str) -> None:
    """Serve until stopped."""
    connections = pool(parse(url))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with connections:
            yield

    async def rows(query: str, values: list[Any]) -> list[dict[str, Any]]:
        async with connections.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()

    app = FastAPI(lifespan=lifespan)

    @app.post("/submit_task", status_code=201)
    async def submit_task(asked: TaskRequest) -> dict[str, Any]:
        async with connections.connection() as connection:
            cursor = await connection.execute(
                "insert into bench.tasks (request, user_email) values (%s, %s)", [asked.request, asked.user_email]
            )
        return {"inserted": cursor.rowcount}

    @app.get("/series/{name}")
    async def series(name: str) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        return await rows(SERIES, [now - timedelta(hours=24), now + timedelta(hours=24)])

    @app.get("/windows/best")
    async def windows() -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        return await rows(WINDOWS, [timedelta(hours=4), now, now + timedelta(hours=48), WEIGHTS])

    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    serve(sys.argv[1])
