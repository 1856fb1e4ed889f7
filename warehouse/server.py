"""Which server is used: the one of DATABASE_URL, or the embedded one of DATA_DIR."""

from warehouse import embedded
from warehouse.database import Database, parse
from warehouse.settings import WarehouseSettings


def uses_embedded(settings: WarehouseSettings) -> bool:
    """Whether the embedded server of DATA_DIR is meant: DATABASE_URL is not set, or is that server's own address.

    It is in a shell after `eval "$(make -s env)"`, whichever login it names there.
    """
    if not settings.database_url:
        return True
    return embedded.is_address_of(settings.data_dir, parse(settings.database_url))


def resolve(settings: WarehouseSettings | None = None) -> Database:
    """The database to use: DATABASE_URL if it is set, else the embedded server, started if it is not running."""
    settings = settings or WarehouseSettings()
    if settings.database_url and not uses_embedded(settings):
        return parse(settings.database_url)
    return embedded.ensure_running(settings.data_dir)
