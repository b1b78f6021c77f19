"""open_beneath: what lies below the root is opened, and nothing else; both ways of resolving are held to it."""

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leaks import open_descriptors
from zbuf.region import _open, open_beneath


@pytest.fixture(params=["openat2", "walk"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kernel's resolution, where it is there, and the walk that takes its place elsewhere."""
    kind: str = request.param
    if kind == "walk":
        monkeypatch.setattr(_open, "_works", False)
    else:
        root = os.open("/", os.O_RDONLY)
        try:
            if not _open._openat2_works(root):
                pytest.skip("this kernel has no openat2")
        finally:
            os.close(root)
    return kind


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    """A root with files in it, beside a secret that must never be reached."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "inner.txt").write_text("secret")
    top = tmp_path / "root"
    (top / "a" / "b").mkdir(parents=True)
    (top / "file.txt").write_text("file")
    (top / "a" / "b" / "deep.txt").write_text("deep")
    (top / "with space").write_text("space")
    (top / "back\\slash").write_text("backslash")
    (top / "dot.").write_text("dot")
    (top / "\udcff".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")).write_text("latin")
    number = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    yield number
    os.close(number)


def content(fd: int) -> str:
    try:
        return os.read(fd, 100).decode()
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        ("file.txt", "file"),
        ("a/b/deep.txt", "deep"),
        ("a//b/./deep.txt", "deep"),
        ("./file.txt", "file"),
        ("with space", "space"),
        ("back\\slash", "backslash"),
        ("dot.", "dot"),
        ("\udcff", "latin"),
    ],
)
def test_open_beneath_opens_files_below_the_root(way: str, root: int, relative: str, expected: str) -> None:
    """Names are taken as they are: blanks, backslashes, trailing dots, bytes that are no UTF-8."""
    fd = open_beneath(root, relative)
    assert not os.get_inheritable(fd)
    assert content(fd) == expected


@pytest.mark.parametrize("relative", ["", ".", "a", "a/", "a/b/", "./"])
def test_open_beneath_opens_directories_unless_told_not_to(way: str, root: int, relative: str) -> None:
    """For a listing; with directories=False they are as good as not there."""
    os.close(open_beneath(root, relative))
    with pytest.raises(FileNotFoundError):
        open_beneath(root, relative, directories=False)


@pytest.mark.parametrize(
    "relative",
    [
        "missing",
        "a/missing",
        "file.txt/",
        "file.txt/x",
        "..",
        "../secret.txt",
        "a/../file.txt",
        "a/../../secret.txt",
        "a/..",
        "/file.txt",
        "/etc/passwd",
        "//etc/passwd",
        "file.txt\0",
        "\0",
        "a\0/../../secret.txt",
        "x" * 4097,
        "/".join(["a"] * 3000),
        "\ud800",
    ],
)
def test_b085_open_beneath_gives_one_answer_to_everything_else(way: str, root: int, relative: str) -> None:
    """Missing, leading out, malformed, too long, not encodable: FileNotFoundError with the same text, no oracle."""
    with pytest.raises(FileNotFoundError) as caught:
        open_beneath(root, relative)
    assert (errno.ENOENT, os.strerror(errno.ENOENT), None) == (
        caught.value.errno,
        caught.value.strerror,
        caught.value.filename,
    )


def test_open_beneath_refuses_links_that_lead_out(way: str, root: int, tmp_path: Path) -> None:
    """Absolute, by `..`, to a directory, to itself, through /proc: never a byte from outside."""
    top = tmp_path / "root"
    (top / "absolute").symlink_to(tmp_path / "secret.txt")
    (top / "relative").symlink_to("../secret.txt")
    (top / "a" / "up").symlink_to("../..")
    (top / "directory").symlink_to(tmp_path / "outside")
    (top / "loop").symlink_to("loop")
    (top / "magic").symlink_to("/proc/self/root")
    (top / "into-root").symlink_to(top / "file.txt")  # absolute, though it comes back: refused as well
    for relative in (
        "absolute",
        "relative",
        "a/up/secret.txt",
        "directory/inner.txt",
        "loop",
        "magic/etc/passwd",
        "into-root",
    ):
        with pytest.raises(FileNotFoundError):
            open_beneath(root, relative)


def test_open_beneath_follows_links_inside_the_root_where_the_kernel_resolves(
    way: str, root: int, tmp_path: Path
) -> None:
    """RESOLVE_BENEATH allows them; the walk follows no link at all."""
    (tmp_path / "root" / "a" / "inside").symlink_to("../file.txt")
    (tmp_path / "root" / "link").symlink_to("a/b")
    for relative, expected in (("a/inside", "file"), ("link/deep.txt", "deep")):
        if way == "walk":
            with pytest.raises(FileNotFoundError):
                open_beneath(root, relative)
        else:
            assert content(open_beneath(root, relative)) == expected


def test_open_beneath_refuses_what_is_neither_file_nor_directory(way: str, root: int, tmp_path: Path) -> None:
    """A FIFO (without hanging), a socket."""
    os.mkfifo(tmp_path / "root" / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "root" / "sock"))
        for relative in ("fifo", "sock"):
            with pytest.raises(FileNotFoundError):
                open_beneath(root, relative)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_open_beneath_says_when_permission_is_missing(way: str, root: int, tmp_path: Path) -> None:
    """An unreadable file is there: PermissionError, so that a server can answer 403."""
    (tmp_path / "root" / "file.txt").chmod(0)
    with pytest.raises(PermissionError):
        open_beneath(root, "file.txt")


def test_open_beneath_passes_other_errors_on(way: str) -> None:
    """A root that is no descriptor is our mistake, not "not found"."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        open_beneath(-1, "file.txt")


def test_openat2_that_is_missing_or_filtered_gives_way_to_the_walk(root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSYS (an old kernel) and EPERM (a seccomp filter) are found out once, and the walk takes over."""
    for number in (errno.ENOSYS, errno.EPERM):
        calls: list[bytes] = []

        def refused(root_fd: int, path: bytes, number: int = number, calls: list[bytes] = calls) -> int:
            calls.append(path)
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(_open, "_works", None)
        monkeypatch.setattr(_open, "_openat2", refused)
        for _ in range(2):
            assert content(open_beneath(root, "a/b/deep.txt")) == "deep"
        assert calls == [b"."]


def test_b086_open_beneath_never_leaves_the_root_while_directories_are_swapped(
    way: str, root: int, tmp_path: Path
) -> None:
    """A thread flips a directory and a link that leads out, about a second long: the secret is never read."""
    top = tmp_path / "root"
    (top / "flip").mkdir()
    (top / "flip" / "inner.txt").write_text("public")
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    stop = threading.Event()
    flips = [0]

    def swap() -> None:
        while not stop.is_set():
            os.rename(top / "flip", tmp_path / "parked")
            os.rename(tmp_path / "link", top / "flip")
            os.rename(top / "flip", tmp_path / "link")
            os.rename(tmp_path / "parked", top / "flip")
            flips[0] += 1

    before = open_descriptors()
    thread = threading.Thread(target=swap)
    thread.start()
    seen: dict[str, int] = {}
    try:
        end = time.monotonic() + 0.8
        while time.monotonic() < end:
            try:
                found = content(open_beneath(root, "flip/inner.txt"))
            except FileNotFoundError:
                found = "not found"
            seen[found] = seen.get(found, 0) + 1
    finally:
        stop.set()
        thread.join()
    assert set(seen) <= {"public", "not found"}, seen
    assert seen.get("public", 0) > 0 and flips[0] > 100, (seen, flips)
    assert open_descriptors() == before
