"""Targets: what a peer writes becomes a path with named segments only, or a refusal."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf.protocols.http._targets import Place, TargetError, resolve


@pytest.mark.parametrize(
    ("target", "relative", "is_directory"),
    [
        ("/", "", True),
        ("/a", "a", False),
        ("/a/", "a", True),
        ("/a/b.txt", "a/b.txt", False),
        ("/a/b.txt?x=/../y", "a/b.txt", False),
        ("/.hidden", ".hidden", False),
        ("/...", "...", False),
        ("/a..b", "a..b", False),
        ("/%61", "a", False),
        ("/a%20b", "a b", False),
        ("/a+b", "a+b", False),
        ("/%C3%A9", "\u00e9", False),
        ("/%252e%252e/x", "%2e%2e/x", False),
        ("/a%0Ab", "a\nb", False),
        ("/file.", "file.", False),
        ("http://host/a", "a", False),
        ("HTTP://host:80/a/", "a", True),
        ("https://host", "", True),
        ("http://host?q", "", True),
        ("/" + "a" * 4095, "a" * 4095, False),
    ],
)
def test_resolve_good_target_names_a_place(target: str, relative: str, is_directory: bool) -> None:
    """Escapes are decoded once; the query and the authority do not count."""
    place = resolve(target)
    assert (place.relative, place.is_directory) == (relative, is_directory)


def test_resolve_keeps_the_raw_halves_for_redirects() -> None:
    """The path and the query as the peer wrote them."""
    assert resolve("/a%20b?c=%41") == Place("a b", False, "/a%20b", "?c=%41")


@pytest.mark.parametrize(
    "target",
    [
        "/..",
        "/../",
        "/../etc/passwd",
        "/a/../b",
        "/a/..",
        "/.",
        "/./a",
        "/%2e%2e/etc/passwd",
        "/%2E%2e",
        "/.%2e/x",
        "/%2e",
        "//etc/passwd",
        "//",
        "/a//b",
        "/a//",
        "/%2fetc/passwd",
        "/a%2Fb",
        "/..%2f..%2fetc",
        "/..\\..\\etc",
        "/a\\b",
        "/%5c..%5c",
        "http://host//etc/passwd",
        "http://host/../x",
    ],
)
def test_resolve_what_could_leave_the_root_is_not_found(target: str) -> None:
    """Dot segments, empty segments, slashes and backslashes in names: one uniform answer (row 85)."""
    with pytest.raises(TargetError) as caught:
        resolve(target)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "target",
    [
        "",
        "a",
        "*",
        "host:80",
        "ftp://host/a",
        "http:///a",
        "/%",
        "/%4",
        "/%zz",
        "/a%",
        "/%00",
        "/a%00.txt",
        "/%ff",
        "/%c0%ae%c0%ae/x",
        "/%ed%a0%80",
        "/" + "a" * 4096,
        "/" + "%61" * 1366,
    ],
)
def test_resolve_malformed_target_is_a_bad_request(target: str) -> None:
    """Broken escapes, NUL, text that is not UTF-8, and forms that are not for files (row 85)."""
    with pytest.raises(TargetError) as caught:
        resolve(target)
    assert caught.value.status == 400


targets = st.one_of(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60),
    st.lists(
        st.sampled_from(
            ["/", "..", ".", "%2e", "%2E", "%2f", "%5c", "\\", "%00", "%", "%25", "a", "%c3%a9", "?", "http://h"]
        ),
        max_size=12,
    ).map("".join),
)


@given(targets)
def test_resolve_any_target_stays_below_the_root(target: str) -> None:
    """Whatever comes out joins to a path below the root, without the help of the file system."""
    try:
        place = resolve(target)
    except TargetError:
        return  # its status is tested above
    assert "\0" not in place.relative and "\\" not in place.relative
    assert not place.relative.startswith("/") and not place.relative.endswith("/")
    joined = posixpath.normpath(posixpath.join("/srv/site", place.relative))
    assert joined == ("/srv/site/" + place.relative).rstrip("/")
    assert place.path.startswith("/") and not place.path.startswith("//")
