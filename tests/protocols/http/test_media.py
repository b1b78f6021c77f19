"""Media types by the end of a name."""

import pytest

from zbuf.protocols.http._media import content_type


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a.TXT", "text/plain; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("x.js", "text/javascript; charset=utf-8"),
        ("data.json", "application/json; charset=utf-8"),
        ("readme.md", "text/markdown; charset=utf-8"),
        ("mod.py", "text/plain; charset=utf-8"),
        ("p.png", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("a.html.gz", "application/gzip"),
        ("LICENSE", "application/octet-stream"),
        ("dir.d/LICENSE", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("a.x\r\nEvil: y", "application/octet-stream"),
    ],
)
def test_content_type_follows_the_end_of_the_name(name: str, expected: str) -> None:
    """Text carries its charset; compressed files are what they are; the unknown is bytes."""
    assert content_type(name) == expected
