"""How often each dataset is refreshed: from its dbt source entry, which is where that is said."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

import yaml

from warehouse.settings import PROJECT_ROOT

_SOURCES = PROJECT_ROOT / "dbt_project" / "models" / "staging"


@cache
def cadences() -> Mapping[str, timedelta]:
    """By the slug of the dataset."""
    found = {}
    for path in sorted(_SOURCES.glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text())["sources"]:
            for table in source["tables"]:
                meta = source.get("config", {}).get("meta", {}) | table.get("config", {}).get("meta", {})
                found[table["identifier"].removesuffix("_payloads")] = timedelta(
                    minutes=meta["refreshed_every_minutes"]
                )
    return found
