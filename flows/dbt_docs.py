"""`python -m flows.dbt_docs`: dbt's page on tables and columns, as one file that loads nothing. What `make docs` runs.

Written to `<data_dir>/dbt_docs/index.html`; the service shows it at `/docs/dbt`.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from flows.lineage import service_url
from flows.settings import DBT_PROJECT, FlowSettings
from warehouse import command
from warehouse.database import Database, dbt_environment
from warehouse.errors import UsageError
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings

# The page can run its own script and nothing else: no request leaves the browser, whatever a later dbt adds to it.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)


def generate(database: Database, data_dir: Path) -> Path:
    """Write the page; returns its path. An older page stays until the new one is complete."""
    folder = data_dir.resolve() / "dbt_docs"
    folder.mkdir(parents=True, exist_ok=True)
    environment = FlowSettings.environment() | dbt_environment(database)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as work:
        done = subprocess.run(
            [
                *(
                    str(Path(sys.executable).parent / "dbt"),
                    "--quiet",
                    "--no-use-colors",
                    "docs",
                    "generate",
                    "--static",
                ),
                *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
                *("--target-path", work, "--log-path", work),
            ],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        made = Path(work) / "static_index.html"
        if done.returncode or not made.is_file():
            words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise UsageError(f"dbt could not write its docs: {words}")
        made.write_text(closed(made.read_text(encoding="utf-8")), encoding="utf-8")
        made.replace(folder / "index.html")
    return folder / "index.html"


def closed(page: str) -> str:
    """dbt's page without the links in its head to files that do not exist, and with a policy that lets it load nothing."""
    head, found, body = page.partition("<script")
    head = re.sub(r"<link\b[^>]*>", "", head)
    begun = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'
    opened, count = re.subn(r"<head>", f"<head>{begun}", head, count=1)
    if not (count and found):
        raise UsageError("dbt's page does not begin as expected; see flows/dbt_docs.py")
    # a browser would request the template's own text as an address before Angular has filled it in
    return opened + found + body.replace('xlink:href="{{', 'ng-href="{{')


def main() -> None:
    """The command line."""

    def run() -> bool:
        settings = WarehouseSettings()
        database = resolve(settings)
        prepare(database)
        path = generate(database, settings.data_dir)
        service = service_url(settings.data_dir)
        out(f"Open {service}/docs/dbt or the file {path}" if service else f"Open the file {path}")
        return True

    command.run(run)


if __name__ == "__main__":
    main()
