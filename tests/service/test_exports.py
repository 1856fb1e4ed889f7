"""`/exports`: lists what the manifest names, serves exactly that, and nothing beside it."""

import hashlib
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.conftest import Api
from warehouse import exports

TABLES = ["carbon_intensity_national", "regions"]


@pytest.fixture
def exported(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of the service's own database."""
    from flows.export import export

    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", api.database.address())
    assert export.fn(None, None, TABLES)["written"] >= 2
    monkeypatch.delenv("DATABASE_URL")
    (tmp_path / "service.env").write_text("SERVICE_TOKEN=secret")
    (tmp_path / "exports" / "regions" / "2020-01.parquet").write_text("not in the manifest")
    (tmp_path / "exports" / "regions" / "2020-02.parquet").symlink_to(tmp_path / "service.env")
    return tmp_path / "exports"


def test_nothing_exported_yet_is_said(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    found = api.get("/exports")
    assert found["files"] == [] and "make export" in found["in_words"]


def test_every_file_is_listed_and_served_with_its_hash(api: Api, exported: Path) -> None:
    found = api.get("/exports")
    assert [table["table"] for table in found["tables"]] == TABLES and found["real_share"] == 1
    assert found["tables"][0]["licences"][0]["licence"] == "CC BY 4.0"
    for entry in found["files"]:
        answer = api.client.get(entry["url"])
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/vnd.apache.parquet"
        assert hashlib.sha256(answer.content).hexdigest() == entry["sha256"] == answer.headers["etag"].strip('"')
        again = api.client.get(entry["url"], headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        part = api.client.get(entry["url"], headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"PAR1")
    assert {entry["table"] for entry in api.get("/exports?table=regions")["files"]} == {"regions"}
    assert api.client.get("/exports", headers={"Authorization": "none"}).status_code == 401
    assert api.client.get(found["files"][0]["url"], headers={"Authorization": "none"}).status_code == 401


def test_files_are_listed_a_page_at_a_time(api: Api, exported: Path) -> None:
    whole = api.get("/exports")
    assert whole["next_cursor"] is None and len(whole["files"]) >= 2
    found, cursor = [], None
    while True:
        page = api.get("/exports", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        assert len(page["files"]) == 1 and page["tables"] == whole["tables"] and page["in_words"] == whole["in_words"]
        assert page["real_share"] == whole["real_share"]
        found += page["files"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole["files"]
    for cursor in ("%", "_w", "a b", "\u0661"):
        assert "query.cursor" in api.get("/exports", 422, params={"cursor": cursor})["detail"]
    api.get("/exports", 422, params={"limit": 0})


def test_a_file_that_is_being_replaced_is_not_served(api: Api, exported: Path) -> None:
    path = exported / "regions" / "all.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = api.client.get("/exports/regions/all.parquet")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    path.unlink()
    assert api.client.get("/exports/regions/all.parquet").status_code == 404


PARTS = st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "\\",
        "%2e%2e",
        "%2f",
        "..%2f..",
        "service.env",
        "manifest.json",
        "regions",
        "all.parquet",
        "\0",
    ]
) | st.text(max_size=5)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PARTS, min_size=1, max_size=4), st.booleans())
def test_no_path_leads_out_of_the_folder(api: Api, exported: Path, parts: list[str], is_quoted: bool) -> None:
    path = "/".join(quote(part, safe="") if is_quoted else quote(part, safe="%/\\") for part in parts)
    answer = api.client.get(f"/exports/{path}")
    assert b"secret" not in answer.content and b"not in the manifest" not in answer.content
    if answer.status_code == 200 and answer.headers["content-type"].endswith("parquet"):
        assert hashlib.sha256(answer.content).hexdigest() == exports.digest(exported / "regions" / "all.parquet")


@pytest.mark.parametrize(
    "path",
    [
        "regions/../../service.env",
        "..%2f..%2fservice.env",
        "regions/..%2f..%2fservice.env",
        "regions/manifest.json",
        "%2e%2e/service.env",
        ".making/all.parquet",
        "regions/2020-01.parquet",
        "regions/2020-02.parquet",
        "regions/all.parquet%00",
    ],
)
def test_what_the_manifest_does_not_name_is_not_there(api: Api, exported: Path, path: str) -> None:
    assert api.client.get(f"/exports/{path}").status_code == 404
