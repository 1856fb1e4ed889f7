"""Nothing that came from elsewhere can make a terminal obey."""

import ast
import json
import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.energy import Energy
from warehouse.printed import out, printable
from warehouse.settings import PROJECT_ROOT

ROOMS = ("flows", "pipelines", "checkpoints", "service", "warehouse")
PRINTS = {"warehouse/printed.py"}


@given(st.text())
def test_no_control_character_is_left_and_everything_else_is_as_it_was(text: str) -> None:
    shown = printable(text)
    assert not [char for char in shown if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    if not any(unicodedata.category(char) in ("Cc", "Cf") for char in text):
        assert shown == text
    assert printable(shown) == shown


def test_a_line_is_printed_with_its_controls_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    out("a\x1b[2J\x07\x9b31m\u202eb")
    assert capsys.readouterr().out == "a\\x1b[2J\\x07\\x9b31m\\u202eb\n"


def test_lines_are_printed_in_one_place() -> None:
    for room in ROOMS:
        for path in (PROJECT_ROOT / room).rglob("*.py"):
            name = path.relative_to(PROJECT_ROOT).as_posix()
            if name in PRINTS:
                continue
            calls = [
                node.lineno
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            ]
            assert not calls, f"{name}: {calls}"


def test_what_an_upstream_sends_reaches_no_terminal(energy: Energy) -> None:
    hostile = "\x1b]0;mine\x07\x1b[2J\x9b31m"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": [{"startTime": hostile, hostile: hostile}], hostile: hostile}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        energy.set(ELEXON_URL=url, CARBON_INTENSITY_URL=url, SYNTHETIC_FALLBACK="off")
        energy.refresh("elexon", "carbon_intensity")
    finally:
        server.shutdown()
    assert energy.value("select count(*) from staging.rejected_payloads") > 0
    assert not [char for char in energy.output if unicodedata.category(char) == "Cc" and char not in "\n\t\r"]
