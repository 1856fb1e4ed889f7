"""Which files of a folder are captures, of which dataset and of which instant; and what was left aside, and why."""

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.admission import admitted
from pipelines.carbon_intensity.archive.bodies import Body, FileRefused, of_csv, of_json
from pipelines.carbon_intensity.national import NATIONAL
from pipelines.carbon_intensity.regional import REGIONAL
from pipelines.dataset import BodyRejected, Dataset
from pipelines.payload import Payload
from warehouse.periods import HALF_HOUR, Window, iso

SUFFIXES = (".json", ".csv", ".csv.gz", ".json.gz")
OF_A_NAME = re.compile(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)[t_ ](\d\d):?(\d\d)z", re.IGNORECASE)
"""The instant in a file's name: 2023-03-14T0331Z, 2023-03-14t0331z.1, 20260820T2106Z"""
LATEST = timedelta(hours=1)
"""A forecast begins no later than this after its capture"""
DATASETS: dict[str | None, Dataset] = {"national": NATIONAL, "regional": REGIONAL}

EMPTY, PAST, OTHER, TWICE = (
    "without a row", "of half-hours that had ended", "of another dataset", "of an instant that another file has"
)  # fmt: skip


@dataclass
class Found:
    """The captures of a folder, in the order of their names; what was left aside is counted as they are read."""

    folder: Path
    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    refused: list[FileRefused] = field(default_factory=list)
    _seen: set[tuple[str, datetime]] = field(default_factory=set)

    def paths(self) -> list[Path]:
        """The files that may be captures; of one instant the JSON, which is what the API sent, comes before the CSV."""
        found = (path for path in self.folder.rglob("*") if path.name.lower().endswith(SUFFIXES) and path.is_file())
        return sorted(
            found,
            key=lambda path: (
                path.parent,
                path.name.lower().split(".")[0],
                ".json" not in path.name.lower(),
                path.name,
            ),
        )

    def payloads(self) -> Iterator[Payload]:
        """Each capture as a payload. A file that cannot be read is noted in `refused`, and the others are read."""
        for path in self.paths():
            try:
                yield from self._of(path)
            except FileRefused as refusal:
                self.refused.append(refusal)

    def _of(self, path: Path) -> Iterator[Payload]:
        named = instant_of(path)
        if named is not None and not self._is_wanted(named):
            return
        text = _read(path)
        if ".json" in path.name.lower():
            bodies: Iterator[Body] = iter([of_json(path, text)])
        else:
            try:
                bodies = of_csv(path, text.decode("utf-8-sig").splitlines())
            except UnicodeDecodeError as error:
                raise FileRefused(path, text[: error.start].count(b"\n") + 1, "is not text in UTF-8") from None
        for body in bodies:
            payload = self._payload(path, body, body.captured_at or named)
            if payload is not None:
                yield payload

    def _is_wanted(self, instant: datetime) -> bool:
        return (self.since is None or instant >= self.since) and (self.until is None or instant < self.until)

    def _payload(self, path: Path, body: Body, captured_at: datetime | None) -> Payload | None:
        dataset = DATASETS.get(body.dataset)
        if dataset is None:
            self.skipped[EMPTY if body.text.rstrip().endswith(b"[]}") else OTHER] += 1
            return None
        if captured_at is None:
            raise FileRefused(
                path, None, "when was it captured? Its name should hold that instant, such as 2023-03-14T0331Z"
            )
        captured_at = captured_at.astimezone(UTC)
        if captured_at > self.now:
            raise FileRefused(path, None, f"was captured at {iso(captured_at)}, which is still to come")
        if not self._is_wanted(captured_at):
            return None
        try:
            named = dataset.validate(body.text).named
            if not named:
                self.skipped[EMPTY] += 1
                return None
            window = Window(min(named), max(named) + HALF_HOUR)
            admitted(dataset, window, body.text)
        except BodyRejected as refusal:
            raise FileRefused(path, None, str(refusal)) from None
        if window.end <= captured_at:
            self.skipped[PAST] += 1
            return None
        if window.start > captured_at + LATEST:
            raise FileRefused(
                path,
                None,
                f"was captured at {iso(captured_at)}, but its first half-hour is {iso(window.start)}: is the time in UTC?",
            )
        key = dataset.slug, captured_at.replace(second=0, microsecond=0)
        if key in self._seen:
            self.skipped[TWICE] += 1
            return None
        self._seen.add(key)
        return Payload(
            dataset=dataset,
            origin="archive",
            body=body.text,
            window=window,
            request_url=f"archive:{path.relative_to(self.folder).as_posix()}",
            request_params={"captured_at": captured_at.isoformat()},
            http_status=None,
            fetched_at=captured_at,
        )


def instant_of(path: Path) -> datetime | None:
    """The instant in a file's name, UTC; None without one. Raises FileRefused for one that no calendar has."""
    found = OF_A_NAME.search(path.name)
    if found is None:
        return None
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise FileRefused(path, None, f"the instant in its name is none: {error}") from None


def _read(path: Path) -> bytes:
    try:
        text = path.read_bytes()
        return gzip.decompress(text) if path.suffix.lower() == ".gz" else text
    except (OSError, EOFError, zlib.error) as error:
        raise FileRefused(path, None, f"cannot be read: {error}") from None
