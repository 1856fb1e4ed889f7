"""The application that is mounted at `/gsf`: it needs no token, as the API that it stands for, and has connections of its own."""

from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse

from service.access import Service
from service.gsf import emissions, forecasts, locations, problems, reading
from service.gsf.shapes import NamedLocation, ValidationProblemDetails
from service.queries import only_declared
from service.tenancy import Pool, pool
from warehouse.database import Database

PATH = "/gsf"


def create(service: Service, database: Database) -> tuple[FastAPI, Pool]:
    """The application, and its connections, which are to be opened."""
    connections = pool(database, reading.READS)
    app = FastAPI(
        title="Carbon Aware SDK Web API",
        description="The routes of the Green Software Foundation's Carbon Aware SDK, for Great Britain.",
        version="1.0",
        openapi_url="/swagger/v1/swagger.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(only_declared)],
        responses={400: {"model": ValidationProblemDetails}, 503: {"model": ValidationProblemDetails}},
    )
    app.state.pool, app.state.outlooks = connections, service.outlooks
    problems.install(app)
    app.include_router(emissions.router)
    app.include_router(forecasts.router)

    @app.get("/locations", tags=["Locations"], operation_id="GetAllLocations")
    async def every_location(request: Request) -> dict[str, NamedLocation]:
        """Names that the other routes take; they take postcodes, coordinates and cities too."""
        return locations.every((await request.app.state.outlooks.now()).region_names)

    @app.get("/health", include_in_schema=False)
    async def health() -> PlainTextResponse:
        """The process answers."""
        return PlainTextResponse("Healthy")

    return app, connections
