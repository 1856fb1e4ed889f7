"""A portal of a few lines, for what CKAN 2.8.7 never does: a real server that answers any SQL as a test says."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines.client import UpstreamClient
from pipelines.settings import PipelineSettings

Result = dict[str, Any]


class Portal:
    """Knows every resource; `answers(sql)` is a result of the datastore, or None where that is to fail.

    `names` are the resources that it has a name of, by id; `package_search` finds those.
    """

    def __init__(
        self,
        answers: Callable[[str], Result | None] = lambda sql: {"records": []},
        names: Mapping[str, str] | None = None,
    ):
        self.answers = answers
        self.names = names or {}
        self.gone: set[str] = set()
        self.statements: list[str] = []
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # one packet an answer

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                result: Result | None = {"last_modified": None}
                asked = parse_qs(urlsplit(self.path).query)
                if "resource_show" in self.path and asked["id"][0] in portal.names:
                    result = {"last_modified": None, "name": portal.names[asked["id"][0]]}
                if "package_search" in self.path:
                    listed = [{"id": id_, "name": name} for id_, name in portal.names.items()]
                    result = {"results": [{"name": "a-package", "resources": listed}]}
                if "datastore_search_sql" in self.path:
                    statement = parse_qs(urlsplit(self.path).query)["sql"][0]
                    portal.statements.append(statement)
                    result = portal.answers(statement)
                is_gone = "resource_show" in self.path and asked["id"][0] in portal.gone
                body = json.dumps({"help": "", "success": True, "result": result}).encode()
                self.send_response(404 if is_gone else 500 if result is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> "Portal":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def client(self) -> UpstreamClient:
        """A client that asks it once."""
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        return UpstreamClient(address, settings=PipelineSettings(http_attempts=1))
