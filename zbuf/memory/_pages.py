"""Blocks on whole pages: huge ones, and fenced ones that nobody can touch once they were given back.

Owns    how such a map is made, what is tried in which order, the quarantine of fenced blocks.
Never   a pool, a size class, a count.
Always  a block is a part of one anonymous private map that nobody else knows; the map goes with the block, a fenced
        one after a while in quarantine. Where the system refuses, the next best is taken, down to plain memory.
"""

import ctypes
import mmap
import sys
from collections import deque

from zbuf.memory._memory import Memory, allocate, allocate_in

__all__ = ["HUGE_PAGE", "HUGETLB", "PLAIN", "TRANSPARENT", "bar", "fenced", "huge"]

HUGE_PAGE = 2 << 20  # x86-64, and arm64 with pages of 4 KiB
PLAIN, TRANSPARENT, HUGETLB = 0, 1, 2  # what a huge block got

_LINUX = sys.platform == "linux"
_PRIVATE = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)
_MAP_HUGETLB = 0x40000  # asm-generic/mman-common.h; mmap has no name for it
_PROT_NONE = 0
QUARANTINE = 256  # fenced blocks that wait until their addresses may be used again; arbitrary

_quarantine: deque[mmap.mmap] = deque(maxlen=QUARANTINE)


def huge(size: int) -> Memory:
    """Return a zeroed block of `size` bytes, a multiple of HUGE_PAGE, whose `pages` say what it got.

    Tried in this order: pages of the system's reserve (HUGETLB); a map on which transparent huge pages are advised
    (TRANSPARENT: the kernel gives them when it has them and its policy allows); plain memory aligned at HUGE_PAGE.
    Raises: MemoryError."""
    if _LINUX:
        try:
            return allocate_in(mmap.mmap(-1, size, flags=_PRIVATE | _MAP_HUGETLB), 0, size, HUGETLB)
        except OSError:  # ENOMEM: none reserved, or not enough
            pass
        try:
            pages = mmap.mmap(-1, size + HUGE_PAGE, flags=_PRIVATE)
        except OSError as exc:
            raise MemoryError(f"cannot allocate {size} bytes") from exc
        at = -_address(pages) % HUGE_PAGE
        try:
            pages.madvise(mmap.MADV_HUGEPAGE, at, size)
        except OSError:  # EINVAL: a kernel without transparent huge pages
            return allocate_in(pages, at, size, PLAIN)
        return allocate_in(pages, at, size, TRANSPARENT)
    return allocate(size, HUGE_PAGE)


def fenced(size: int, alignment: int) -> Memory:
    """Return a zeroed block that ends where its pages end, with a page before and behind that cannot be touched.

    Only the bytes that the alignment asks for may lie between its end and the fence. Where the system makes no such
    map (too many of them, or no mprotect) it is plain memory. Raises: ValueError if negative, MemoryError."""
    page = mmap.PAGESIZE
    body = -(-max(size, 1) // page) * page + (alignment if alignment > page else 0)
    if size < 0 or not _PROTECT or body > sys.maxsize - 2 * page:
        return allocate(size, alignment)
    try:
        pages = mmap.mmap(-1, body + 2 * page, flags=_PRIVATE)
        base = _address(pages)
        _protect(base, page)
        _protect(base + page + body, page)
    except (OSError, OverflowError):
        return allocate(size, alignment)
    end = base + page + body
    return allocate_in(pages, (end - size) // alignment * alignment - base, size, PLAIN)


def bar(pages: object) -> None:
    """Forbid all access to a fenced block whose last holder is gone, and keep its addresses from being used again."""
    if isinstance(pages, mmap.mmap):
        _protect(_address(pages), len(pages))
        _quarantine.append(pages)


def _address(pages: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(pages))


def _libc_mprotect() -> "ctypes._FuncPointer | None":
    try:
        protect = ctypes.CDLL(None, use_errno=True).mprotect
    except (OSError, AttributeError, TypeError):
        return None
    protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return protect


_PROTECT = _libc_mprotect() if _LINUX else None


def _protect(address: int, n: int) -> None:
    assert _PROTECT is not None
    if _PROTECT(address, n, _PROT_NONE) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
