"""The migrations are one chain in the order of their names, whatever branches they came from."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from warehouse.prepare import MIGRATIONS, newest_revision


def test_each_migration_follows_the_one_that_is_named_before_it() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    named = sorted(path.stem.split("__")[0] for path in (MIGRATIONS / "versions").glob("2*.py"))
    follows = {one.revision: one.down_revision for one in map(script.get_revision, named) if one}
    assert follows == dict(zip(named, [None, *named], strict=False))
    assert script.get_heads() == [newest_revision()]
