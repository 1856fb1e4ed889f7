"""`/docs/quality` and `/docs/dbt`: the pages as written, nothing else of the disk, and words where there is none yet."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from checkpoints import data_docs
from checkpoints.tally import Tally
from service.routes import docs_pages
from tests.checkpoints.pages import Page
from tests.checkpoints.test_data_docs import result


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def client(data_dir: Path) -> Iterator[TestClient]:
    """The router alone: these pages need no database."""
    app = FastAPI()
    app.include_router(docs_pages.router)
    with TestClient(app) as these:
        yield these


def written(data_dir: Path) -> uuid.UUID:
    run_id, tally = uuid.uuid4(), Tally("clean", "any")
    tally.add(result(success=False), {})
    data_docs.write([tally], data_dir, flow="refresh", run_id=run_id)
    return run_id


def test_every_link_from_the_address_that_is_said_leads_to_a_page(client: TestClient, data_dir: Path) -> None:
    run_id = written(data_dir)
    index = client.get("/docs/quality")
    assert (index.status_code, index.url.path) == (200, "/docs/quality/index.html")
    assert client.get("/docs/quality/").text == index.text
    links = Page(index.text).links
    assert f"{run_id}.html" in links
    for link in links:
        page = client.get(index.url.join(link))
        assert page.status_code == 200
        assert "FAILED" in Page(page.text).words
        assert client.get(page.url.join("index.html")).text == index.text


def test_a_page_that_is_not_written_yet_says_what_writes_it(client: TestClient) -> None:
    for path, command in (("/docs/quality", "make run"), ("/docs/dbt", "make docs")):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert command in Page(answer.text).words


def test_dbts_page_is_served_as_it_is(client: TestClient, data_dir: Path) -> None:
    (data_dir / "dbt_docs").mkdir()
    (data_dir / "dbt_docs/index.html").write_text("<title>dbt Docs</title>")
    answer = client.get("/docs/dbt")
    assert (answer.status_code, answer.text) == (200, "<title>dbt Docs</title>")


def test_no_response_lets_its_page_load_from_elsewhere(client: TestClient, data_dir: Path) -> None:
    paths = ("/docs/quality", "/docs/quality/", "/docs/dbt", "/docs/quality/nothing.html")
    for _ in range(2):
        for path in paths:
            for answer in (client.get(path, follow_redirects=False), client.get(path)):
                policy = answer.headers["content-security-policy"]
                assert policy.startswith("default-src 'none'")
                assert "http" not in policy and "*" not in policy and "//" not in policy
                assert answer.headers["x-content-type-options"] == "nosniff"
        written(data_dir)
        (data_dir / "dbt_docs").mkdir(exist_ok=True)
        (data_dir / "dbt_docs/index.html").write_text("<p>dbt")


@pytest.mark.parametrize(
    "path",
    [
        *("../secret.html", "..%2fsecret.html", "%2e%2e/secret.html", "..%5csecret.html", "%2fetc%2fpasswd"),
        *("x%00.html", ".lock", "link.html", "folder.html", "a/../../secret.html", "%252e%252e%252fsecret.html"),
        *("{run}.json", "index.html%00", "n" * 400 + ".html", "n" * 300 + ".html", "....//secret.html"),
    ],
)
def test_nothing_but_pages_of_the_folder_is_served(client: TestClient, data_dir: Path, path: str) -> None:
    run_id = written(data_dir)
    (data_dir / "secret.html").write_text("secret")
    (data_dir / "data_docs/link.html").symlink_to(data_dir / "secret.html")
    (data_dir / "data_docs/folder.html").mkdir()
    answer = client.get(f"/docs/quality/{path.replace('{run}', str(run_id))}")
    assert answer.status_code in (404, 422)
    assert "secret" not in answer.text
