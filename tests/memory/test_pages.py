"""Blocks on pages: aligned ones, which the kernel reads into directly, huge ones, and fenced ones.

Owns    the rest of BEHAVIOURS 116; FAULTS 2.3 (fence mode).
Never   a promise of the kernel's: where it has no such pages the fallback is what is tested.
Always  what a pool says it got is compared with what the system says."""

from __future__ import annotations

import mmap
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.memory._marks import reused
from zbuf import ByteBuf, Pool
from zbuf._environ import FENCE
from zbuf.memory import _pages

ROOT = Path(__file__).resolve().parents[2]
PAGE = mmap.PAGESIZE
HUGE = _pages.HUGE_PAGE
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux has them")


@pytest.mark.parametrize("alignment", [1, 16, 32, 64, 512, 4096, 65536, 1 << 20])
def test_b116_blocks_of_every_class_are_aligned_and_whole(alignment: int) -> None:
    """First lives and second ones; above 16 the size of a block is a multiple of the alignment as well."""
    pool = Pool(alignment=alignment, max_cached_bytes=4 << 20)
    rng = random.Random(alignment)
    for _ in range(60):
        size = int(2 ** rng.uniform(0, 21.5))
        with pool.buffer(size) as buf:
            assert buf.address() % alignment == 0
            assert buf.memory_size >= size
            if alignment > 16:
                assert buf.memory_size % alignment == 0
            buf.write_bytes(b"x" * size)
            buf.set_byte(size - 1, 1)
    stats = pool.statistics()
    assert (stats.live_blocks, stats.reserved_bytes) == (0, stats.cached_bytes)


def test_b116_a_grown_buffer_is_aligned_like_its_pool() -> None:
    """New blocks come from where the old one came from."""
    buf = Pool(alignment=4096).buffer(10)
    for _ in range(12):
        buf.write_bytes(bytes(buf.writable_bytes + 1))
        assert buf.address() % 4096 == 0


def direct_file(directory: Path, data: bytes) -> int:
    """Open a file with these bytes for direct reading; skip where the file system has no such thing."""
    path = directory / "direct.bin"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError as exc:
        pytest.skip(f"the file system of {directory} has no O_DIRECT: {exc}")


@linux
def test_a_page_aligned_block_takes_a_direct_read(tmp_path: Path) -> None:
    """O_DIRECT reads past the page cache straight into the pooled block, again in its second life."""
    data = random.Random(5).randbytes(64 * PAGE)
    pool = Pool(alignment=PAGE)
    descriptor = direct_file(tmp_path, data)
    try:
        for turn in range(2):
            with pool.buffer(16 * PAGE) as buf:
                (room,) = buf.writable_views()
                got = os.preadv(descriptor, [room], turn * 16 * PAGE)
                room.release()
                buf.writer_index += got
                assert bytes(buf) == data[turn * 16 * PAGE : (turn + 1) * 16 * PAGE]
    finally:
        os.close(descriptor)
    assert pool.statistics().hits == (0 if FENCE else 1)


def advised(buf: ByteBuf) -> str:
    """What the kernel's own list says about the map in which the buffer lies."""
    at = buf.address()
    found = ""
    inside = False
    for entry in Path("/proc/self/smaps").read_text().splitlines():
        span = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", entry)
        if span:
            inside = int(span[1], 16) <= at < int(span[2], 16)
        if inside:
            found += entry + "\n"
    return found


@linux
@pytest.mark.skipif(FENCE, reason="fenced blocks lie on small pages")
def test_a_huge_block_gets_what_the_pool_says() -> None:
    """hugetlb_bytes and thp_bytes agree with the kernel's own list; else it is plain memory, aligned all the same."""
    pool = Pool(huge_pages=True)
    buf = pool.buffer(5 << 20)
    assert (buf.memory_size, buf.address() % HUGE) == (6 << 20, 0)
    stats = pool.statistics()
    kernel = advised(buf)
    assert stats.hugetlb_bytes + stats.thp_bytes in (0, 6 << 20)
    if stats.hugetlb_bytes:
        assert re.search(r"KernelPageSize: +2048 kB", kernel)
    elif stats.thp_bytes:
        assert re.search(r"VmFlags:.*\bhg\b", kernel), kernel
        policy = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
        buf.write_zero(6 << 20)
        if "[never]" not in policy:
            assert int(re.search(r"AnonHugePages: +(\d+) kB", advised(buf))[1]) % 2048 == 0  # type: ignore[index]
    buf.release()


@reused
def test_huge_blocks_are_kept_up_to_the_bound_and_counted() -> None:
    """They are pooled, unlike large blocks of an ordinary pool; what is dropped is no longer counted."""
    pool = Pool(huge_pages=True, max_cached_bytes=4 << 20)
    sizes = {1 << 20: 1 << 20, (1 << 20) + 1: 2 << 20, 2 << 20: 2 << 20, 3 << 20: 4 << 20, 5 << 20: 6 << 20}
    for asked, expected in sizes.items():
        with pool.buffer(asked) as buf:
            assert buf.memory_size == expected
            buf.set_byte(asked - 1, 1)
        stats = pool.statistics()
        assert stats.cached_bytes <= 4 << 20
        assert stats.hugetlb_bytes + stats.thp_bytes <= stats.reserved_bytes
        pool.trim()
        assert pool.statistics().hugetlb_bytes + pool.statistics().thp_bytes == 0
    one = pool.buffer(2 << 20)
    at = one.address()
    one.release()
    two = pool.buffer((2 << 20) - 5)
    assert (two.address(), pool.statistics().hits) == (at, 1)
    with pool.buffer(65 << 20) as giant:
        assert giant.memory_size == 65 << 20
    two.release()
    assert pool.statistics().live_blocks == 0


@reused
def test_a_zeroing_pool_wipes_huge_blocks_too() -> None:
    """No old byte is left in the second life."""
    pool = Pool(huge_pages=True, zero_on_release=True)
    for _ in range(2):
        with pool.buffer(2 << 20) as buf:
            assert buf.get_bytes((2 << 20) - 4, 4) == bytes(4)
            buf.set_bytes((2 << 20) - 4, b"\xaa" * 4)


def test_a_view_keeps_a_huge_block_after_the_pool() -> None:
    """The map goes with the last holder, whoever that is."""
    buf = Pool(huge_pages=True).buffer(2 << 20)
    buf.write_bytes(b"huge")
    view = buf.view()
    buf.release()
    del buf
    view[0] = ord("H")
    assert bytes(view) == b"Huge"


def refuse(*arguments: object, **keywords: object) -> object:
    """A system that has no such map."""
    raise OSError(12, "ENOMEM")


@linux
@pytest.mark.skipif(FENCE, reason="fenced blocks lie on small pages")
def test_the_fallbacks_are_taken_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reserve: transparent pages are advised; no advice: plain memory; no map at all: a MemoryError."""
    real = mmap.mmap

    class Refusing(mmap.mmap):
        """A map on a kernel without transparent huge pages."""

        def madvise(self, *arguments: object) -> None:
            refuse()

    def without_reserve(fileno: int, length: int, flags: int = 0) -> mmap.mmap:
        if flags & _pages._MAP_HUGETLB:
            refuse()
        return real(fileno, length, flags=flags)

    monkeypatch.setattr(_pages.mmap, "mmap", without_reserve)
    with Pool(huge_pages=True).buffer(2 << 20) as buf:
        buf.write_int(1)
    pool = Pool(huge_pages=True)
    buf = pool.buffer(2 << 20)
    assert pool.statistics().hugetlb_bytes == 0
    buf.release()

    def without_advice(fileno: int, length: int, flags: int = 0) -> mmap.mmap:
        if flags & _pages._MAP_HUGETLB:
            refuse()
        return Refusing(fileno, length, flags=flags)

    monkeypatch.setattr(_pages.mmap, "mmap", without_advice)
    pool = Pool(huge_pages=True)
    buf = pool.buffer(2 << 20)
    assert (pool.statistics().thp_bytes, buf.address() % HUGE) == (0, 0)
    buf.set_int((2 << 20) - 4, 1)
    buf.release()

    monkeypatch.setattr(_pages.mmap, "mmap", refuse)
    before = pool.statistics()
    with pytest.raises(MemoryError):
        pool.buffer(8 << 20)
    assert pool.statistics() == before


FENCED = """
import ctypes, sys, zbuf
pool = zbuf.{allocator}
buf = pool.buffer({size})
buf.write_bytes(b"x" * {size})
at = buf.address()
part = buf.slice()
buf.release()
assert bytes(part) == b"x" * {size} and ctypes.string_at(at, {size}) == b"x" * {size}
assert pool.statistics().live_blocks == 1
if {release}: part.release()
print("alive", flush=True)
ctypes.string_at(at + ({offset}), 1)
print("unharmed", flush=True)
"""


def fenced(allocator: str, size: int, release: bool, offset: int) -> tuple[int, str]:
    """Look at one byte relative to a fenced block's first; return how that ended."""
    code = FENCED.format(allocator=allocator, size=size, release=release, offset=offset)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ZBUF_FENCE": "1"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout + ended.stderr.replace("Segmentation fault", "")


@linux
@pytest.mark.parametrize("allocator", ["Pool()", "Unpooled()", "Pool(alignment=4096)", "Pool(huge_pages=True)"])
def test_a_fenced_block_cannot_be_touched_after_its_last_holder(allocator: str) -> None:
    """A raw pointer that somebody kept is found out in that instant; while a slice lives it is good."""
    size = 3 << 20 if "huge" in allocator else 192
    code, text = fenced(allocator, size, True, 0)
    assert (code, text) == (-signal.SIGSEGV, "alive\n"), text
    code, text = fenced(allocator, size, False, size - 1)
    assert (code, text) == (0, "alive\nunharmed\n"), text


@linux
@pytest.mark.parametrize("size", [64, 192, 4096, 12288])
def test_a_fenced_block_ends_where_the_fence_begins(size: int) -> None:
    """One byte behind it is one too many; so is a page before it."""
    assert fenced("Pool()", size, False, size)[0] == -signal.SIGSEGV
    assert fenced("Pool()", size, False, -PAGE)[0] == -signal.SIGSEGV
    assert fenced("Pool()", size, False, size - 1)[0] == 0


USE = """
import zbuf, random
from zbuf.memory import _pages
rng = random.Random(3)
pool = zbuf.Pool(max_cached_bytes=1 << 20)
held = []
for turn in range(3000):
    if held and rng.random() < 0.5: held.pop(rng.randrange(len(held)))
    else:
        buf = pool.buffer(rng.choice((0, 1, 100, 5000, 70000)))
        assert bytes(buf.view(0, buf.capacity)) == bytes(buf.capacity), "fresh, every time"
        buf.set_bytes(0, b"x" * buf.capacity)
        held.append(buf.view(0, buf.capacity) if turn % 3 else buf)
del buf
held.clear()
stats = pool.statistics()
assert stats.live_blocks == stats.live_bytes == stats.cached_bytes == stats.hits == 0, stats
assert len(_pages._quarantine) == _pages.QUARANTINE
"""


@linux
def test_fenced_pools_work_and_keep_the_given_back_in_quarantine() -> None:
    """No block is used twice; the figures add up; 256 of the dead stay barred."""
    ended = subprocess.run(
        [sys.executable, "-c", USE],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ZBUF_FENCE": "1"},
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
