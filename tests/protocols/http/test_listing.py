"""The directory listing: complete, sorted, and nothing in it runs."""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from zbuf.protocols.http._listing import Listed, listing_page, read_directory


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep tags and links."""
        self.tags.append(tag)
        self.links.extend(value or "" for name, value in attrs if name == "href")

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def read(path: Path, most: int = 1000) -> tuple[list[Listed], bool]:
    """The entries of a directory."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return read_directory(fd, most)
    finally:
        os.close(fd)


def test_read_directory_directories_come_first_with_no_size(tmp_path: Path) -> None:
    """Entries are sorted; links are not followed and have no size."""
    (tmp_path / "b").write_bytes(b"12345")
    (tmp_path / "z").mkdir()
    (tmp_path / "a").symlink_to("/etc")
    assert read(tmp_path) == ([Listed("z", None, True), Listed("a", None, False), Listed("b", 5, False)], False)


def test_read_directory_stops_at_the_limit(tmp_path: Path) -> None:
    """A directory of many costs no more than the limit, and the page says so."""
    for number in range(7):
        (tmp_path / str(number)).touch()
    assert read(tmp_path, 7)[1] is False
    entries, more = read(tmp_path, 6)
    assert (len(entries), more) == (6, True)
    assert "Only 6" in Page(listing_page("", entries, more=more)).text


def test_listing_page_hostile_names_stay_text() -> None:
    """Markup, quotes and schemes in names are shown, not interpreted; links lead back to the very name."""
    names = ["<script>alert(1)</script>", '" onclick="x', "javascript:alert(1)", "a&b;c", "\u00e9 %41?#", "'", "..x"]
    names.append("a\nb")
    page = Page(listing_page("<b>&\"'", [Listed(name, 1, False) for name in names]))
    assert "script" not in page.tags and "b" not in page.tags
    assert page.links[0] == "../"
    assert [unquote(link) for link in page.links[1:]] == [f"./{name}" for name in names]
    assert "<script>alert(1)</script>" in page.text
    assert "\n" not in page.links[-1]


def test_listing_page_name_that_is_not_utf8_has_no_link() -> None:
    """It could not be asked for; the page stays valid UTF-8."""
    name = os.fsdecode(b"bad\xff")
    page = Page(listing_page("", [Listed(name, 1, False), Listed("d", None, True)]))
    assert page.links == ["./d/"]


def test_listing_page_root_has_no_way_up() -> None:
    """The root's page has no link to a parent."""
    assert Page(listing_page("", [])).links == []
    assert Page(listing_page("a/b", [])).links == ["../"]
