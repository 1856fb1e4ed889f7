"""Reads a page as a browser would: what it would load, where its links go, what it says."""

import re
from html.parser import HTMLParser
from pathlib import Path

LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href"}


class Page(HTMLParser):
    """The links, the loads, the ids, the tags and the text of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: set[str] = set()
        self.words = ""
        self.feed(text)
        self.loads += re.findall(r"url\(([^)]*)\)|@import", text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.words += " " if tag in ("td", "th") else ""
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in LOADS or (name == "href" and tag == "link"):
                self.loads.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            assert not name.startswith("on"), f"a handler in <{tag}>"

    def handle_data(self, data: str) -> None:
        if self.lasttag != "style" or not data.strip().startswith("body {"):  # the style sheet is not said to anybody
            self.words += data


def check(folder: Path) -> dict[str, Page]:
    """Every page of a folder: it loads nothing, runs nothing, and each link leads to a page (and place) that exists."""
    pages = {path.name: Page(path.read_text()) for path in folder.glob("*.html")}
    for name, page in pages.items():
        assert [load for load in page.loads if load != "data:,"] == [], name
        assert not page.tags & {"script", "iframe", "object", "embed", "img", "base", "form"}, name
        for link in page.links:
            target, _, place = link.partition("#")
            assert target in pages, f"{name} links to {link}"
            assert not place or place in pages[target].ids, f"{name} links to {link}"
    return pages
