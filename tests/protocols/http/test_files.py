"""Static files: which answer a request gets, and that nothing outside the root is ever in one."""

import errno
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zbuf
from zbuf.protocols.http import HttpRequest, HttpResponse, StaticFiles
from zbuf.protocols.http import _files as files_module
from zbuf.region import FileRegion

NOW_NS = 1_700_000_000_000_000_000
OLD = 1_600_000_000
SECRET = b"nothing outside the root"

Get = Callable[..., HttpResponse]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with files, and beside it what must not be reached."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    inside = tmp_path / "root"
    (inside / "dir" / "sub").mkdir(parents=True)
    (inside / "site").mkdir()
    for name, data in {
        "a.txt": b"0123456789",
        "empty": b"",
        "dir/b.html": b"<p>b",
        "site/index.html": b"<p>index",
        "a b": b"blank",
        "\u00e9": b"accent",
        ".hidden": b"hidden",
        "%2e%2e": b"literal",
    }.items():
        (inside / name).write_bytes(data)
        os.utime(inside / name, (OLD, OLD))
    (inside / "out").symlink_to(tmp_path / "secret.txt")
    (inside / "outdir").symlink_to(tmp_path)
    (inside / "up").symlink_to("../secret.txt")
    (inside / "absolute").symlink_to("/etc/passwd")
    (inside / "loop").symlink_to("loop")
    (inside / "inner").symlink_to("dir/b.html")
    os.mkfifo(inside / "fifo")
    return inside


@pytest.fixture
def get(root: Path) -> Iterator[Get]:
    """Ask for a target."""
    with StaticFiles(root, clock=lambda: NOW_NS) as files:

        def ask(target: str, method: str = "GET", **headers: str) -> HttpResponse:
            fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
            return files(HttpRequest(method, target, fields))

        yield ask


def body(response: HttpResponse) -> bytes:
    """The bytes of the body; the response is released."""
    taken = response.take_body()
    if isinstance(taken, FileRegion):
        with taken, zbuf.buffer(taken.remaining or 1) as buf:
            taken.read_into(buf)
            return bytes(buf)
    assert taken is None or isinstance(taken, bytes)
    return taken or b""


def field(response: HttpResponse, name: str) -> str | None:
    """The value of a field."""
    values = [value for key, value in response.fields if key == name]
    assert len(values) <= 1
    return values[0] if values else None


@pytest.mark.parametrize(
    ("target", "data", "kind"),
    [
        ("/a.txt", b"0123456789", "text/plain; charset=utf-8"),
        ("/a.txt?x=1", b"0123456789", "text/plain; charset=utf-8"),
        ("/dir/b.html", b"<p>b", "text/html; charset=utf-8"),
        ("/a%20b", b"blank", "application/octet-stream"),
        ("/%C3%A9", b"accent", "application/octet-stream"),
        ("/.hidden", b"hidden", "application/octet-stream"),
        ("/%252e%252e", b"literal", "application/octet-stream"),
        ("/site/", b"<p>index", "text/html; charset=utf-8"),
        ("http://host/a.txt", b"0123456789", "text/plain; charset=utf-8"),
    ],
)
def test_get_file_is_answered_with_a_region_of_it(get: Get, target: str, data: bytes, kind: str) -> None:
    """200, the region, its type, its validators, and that ranges are welcome."""
    response = get(target)
    assert (response.status, isinstance(response.body, FileRegion)) == (200, True)
    assert field(response, "Content-Type") == kind
    assert field(response, "Accept-Ranges") == "bytes"
    assert field(response, "X-Content-Type-Options") == "nosniff"
    assert field(response, "Last-Modified") == "Sun, 13 Sep 2020 12:26:40 GMT"
    assert (field(response, "ETag") or "").startswith('"')
    assert response.body_bytes == len(data)
    assert body(response) == data


def test_get_empty_file_has_no_body_and_holds_no_descriptor(get: Get) -> None:
    """Nothing to send, nothing to keep open."""
    response = get("/empty")
    assert (response.status, response.body, response.body_bytes) == (200, None, 0)


def test_head_says_what_get_would(get: Get) -> None:
    """The same fields; the body is the handler's to drop. Ranges do not count."""
    response = get("/a.txt", "HEAD", range="bytes=0-1")
    assert (response.status, response.body_bytes) == (200, 10)
    response.release()


@pytest.mark.parametrize(
    ("value", "status", "data", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("pages=1", 200, b"0123456789", None),
    ],
)
def test_get_range_is_answered_with_exactly_those_bytes(
    get: Get, value: str, status: int, data: bytes | None, content_range: str | None
) -> None:
    """206 with the part, 416 with the size, or the whole file."""
    response = get("/a.txt", range=value)
    assert (response.status, field(response, "Content-Range")) == (status, content_range)
    found = body(response)
    assert data is None or found == data


def test_get_range_of_an_empty_file(get: Get) -> None:
    """No first byte: 416; a suffix of nothing: the whole of nothing."""
    assert get("/empty", range="bytes=0-").status == 416
    assert get("/empty", range="bytes=-5").status == 200


def test_get_conditions_are_honoured(get: Get) -> None:
    """304 with the validators and no body; 412; If-Range decides about the part."""
    first = get("/a.txt")
    etag = field(first, "ETag") or ""
    first.release()
    unchanged = get("/a.txt", if_none_match=etag)
    assert (unchanged.status, unchanged.body, field(unchanged, "ETag")) == (304, None, etag)
    assert get("/a.txt", if_modified_since="Sun, 13 Sep 2020 12:26:40 GMT").status == 304
    assert get("/a.txt", if_match='"other"').status == 412
    for condition, status in ((etag, 206), ('"other"', 200), ("Sun, 13 Sep 2020 12:26:40 GMT", 206)):
        response = get("/a.txt", range="bytes=0-1", if_range=condition)
        assert response.status == status
        response.release()


@pytest.mark.parametrize(
    ("target", "location"), [("/dir", "/dir/"), ("/site?x=1", "/site/?x=1"), ("http://host/dir/sub", "/dir/sub/")]
)
def test_get_directory_without_a_slash_is_redirected(get: Get, target: str, location: str) -> None:
    """301 to the same path on the same host."""
    response = get(target)
    assert (response.status, field(response, "Location")) == (301, location)


def test_get_directory_is_listed_unless_it_has_an_index(get: Get, root: Path) -> None:
    """The listing names what is there; index.html comes first; an index that is a directory is not found."""
    listing = get("/dir/")
    assert (listing.status, field(listing, "Content-Type")) == (200, "text/html; charset=utf-8")
    page = body(listing)
    assert b'href="./b.html"' in page
    assert b'href="./sub/"' in page
    assert b'href="./a.txt"' in body(get("/"))
    (root / "dir" / "index.html").mkdir()
    assert get("/dir/").status == 404


def test_get_directory_without_listings_is_forbidden(root: Path) -> None:
    """`listings=False` shows index pages only."""
    with StaticFiles(root, listings=False) as files:
        assert files(HttpRequest("GET", "/dir/")).status == 403
        response = files(HttpRequest("GET", "/site/"))
        assert response.status == 200
        response.release()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"])
def test_other_methods_are_not_allowed(get: Get, method: str) -> None:
    """405 says which ones are."""
    response = get("/a.txt", method)
    assert (response.status, field(response, "Allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize("method", ["BREW", "get", "PROPFIND"])
def test_unknown_methods_are_not_implemented(get: Get, method: str) -> None:
    """501: methods are case-sensitive."""
    assert get("/a.txt", method).status == 501


OUTSIDE = [
    "/../secret.txt",
    "/dir/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/.%2E/secret.txt",
    "/..%2fsecret.txt",
    "/%252e%252e/secret.txt",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/..\\secret.txt",
    "/..%5csecret.txt",
    "/etc/passwd",
    "/out",
    "/outdir/",
    "/outdir/secret.txt",
    "/up",
    "/absolute",
    "/loop",
    "/fifo",
    "/a.txt/",
    "/a.txt/x",
    "/missing",
    "/" + "a" * 300,
    "/" + "a/" * 2000,
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_target_outside_or_no_file_is_not_found(get: Get, target: str) -> None:
    """Dots, links that lead out, FIFOs, loops, names too long: all look as if they were not there (rows 85, 86)."""
    response = get(target)
    assert (response.status, body(response)) == (404, b"404 Not Found\n")


@pytest.mark.parametrize("target", ["/%00", "/a%00.txt", "/%ff", "/%", "*", "relative", "/" + "a" * 4097])
def test_malformed_target_is_a_bad_request(get: Get, target: str) -> None:
    """NUL, text that is not UTF-8, broken escapes, 4097 bytes (row 85)."""
    assert get(target).status == 400


def test_socket_file_is_not_found(get: Get, root: Path) -> None:
    """A UNIX socket in the tree is no file."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(root / "sock"))
        assert get("/sock").status == 404


def test_link_that_stays_inside_is_followed_or_hidden_never_something_else(get: Get) -> None:
    """The kernel resolves it below the root; where it cannot, no link is followed."""
    response = get("/inner")
    assert response.status in (200, 404)
    assert body(response) in (b"<p>b", b"404 Not Found\n")


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (errno.EACCES, 403),
        (errno.EPERM, 403),
        (errno.EMFILE, 503),
        (errno.ENFILE, 503),
        (errno.EIO, 500),
        (errno.ENXIO, 404),
    ],
)
def test_failure_to_open_is_an_answer(get: Get, monkeypatch: pytest.MonkeyPatch, number: int, status: int) -> None:
    """Whatever the system says, the client gets a status and the server lives."""

    def refuse(root_fd: int, relative: str) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files_module, "open_with_status", refuse)
    assert get("/a.txt").status == status


def test_file_replaced_while_open_keeps_what_was_promised(get: Get, root: Path) -> None:
    """The region belongs to the descriptor, not to the name (row 73)."""
    response = get("/a.txt")
    (root / "new").write_bytes(b"something else")
    os.replace(root / "new", root / "a.txt")
    assert body(response) == b"0123456789"


def test_root_replaced_while_open_is_still_the_old_one(get: Get, root: Path) -> None:
    """The root is a descriptor; renaming it and putting a link in its place leads nowhere else."""
    root.rename(root.with_name("elsewhere"))
    root.symlink_to("/etc")
    assert body(get("/a.txt")) == b"0123456789"
    assert get("/passwd").status == 404


def test_directory_swapped_for_a_link_while_resolving_never_leads_out(get: Get, root: Path) -> None:
    """Row 86: a thread flips a directory and a link that leads out; no answer has bytes from outside."""
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "b.html").write_bytes(SECRET)
    (root / "link").symlink_to(outside)
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            os.rename(root / "dir", root / "kept")
            os.rename(root / "link", root / "dir")
            os.rename(root / "dir", root / "link")
            os.rename(root / "kept", root / "dir")

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        seen = {body(get("/dir/b.html")) for _ in range(3000)}
    finally:
        stop.set()
        thread.join()
    assert seen <= {b"<p>b", b"404 Not Found\n"}


pieces = st.sampled_from(
    [
        "/",
        "..",
        ".",
        "%2e",
        "%2f",
        "%5c",
        "\\",
        "%00",
        "%",
        "%25",
        "dir",
        "a.txt",
        "out",
        "outdir",
        "up",
        "secret.txt",
        "?",
        "site",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.lists(pieces, max_size=10).map("".join))
def test_any_target_never_answers_with_bytes_from_outside(get: Get, target: str) -> None:
    """Row 85: whatever is asked, the answer is a file of the tree, a page of ours, or a refusal."""
    response = get("/" + target)
    region = response.body
    if isinstance(region, FileRegion):
        inode = os.fstat(region.fileno())
        assert stat.S_ISREG(inode.st_mode)
    assert response.status in (200, 301, 400, 404)
    assert SECRET not in body(response)


@pytest.mark.parametrize(("name", "error"), [("missing", FileNotFoundError), ("a.txt", NotADirectoryError)])
def test_root_that_cannot_be_served_is_an_error_at_once(root: Path, name: str, error: type[OSError]) -> None:
    """Missing, or no directory."""
    with pytest.raises(error):
        StaticFiles(root / name)


def test_close_is_idempotent_and_leaves_responses_alone(root: Path) -> None:
    """A response owns its descriptor; a closed root serves nothing, whoever has its number now."""
    files = StaticFiles(root)
    response = files(HttpRequest("GET", "/a.txt"))
    files.close()
    fd = os.open(root, os.O_RDONLY)
    files.close()
    assert body(response) == b"0123456789"
    assert files(HttpRequest("GET", "/a.txt")).status == 404
    os.close(fd)
