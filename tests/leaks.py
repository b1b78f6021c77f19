"""What a test may leave behind: nothing.

Owns    the counts taken before and after each test.
Never   a test's subject: it looks at the process from outside (`/proc/self/fd`, the pools' own statistics).
Always  the garbage collector runs only when the counts differ, so a clean test costs two directory listings.
"""

import gc
import os
import sys
from dataclasses import dataclass
from typing import Protocol


class _Statistics(Protocol):
    @property
    def live_blocks(self) -> int: ...


class _Pool(Protocol):
    def statistics(self) -> _Statistics: ...


# Where pools that outlive a test are kept: (module, name of the function that returns one).
POOLS = (("zbuf.buffer", "default_allocator"), ("zbuf.transport", "channel_pool"))


def open_descriptors() -> frozenset[int]:
    """Return the descriptors this process has open; nothing where the system does not list them."""
    try:
        listing = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return frozenset()
    try:
        return frozenset(int(name) for name in os.listdir(listing)) - {listing}
    finally:
        os.close(listing)


def pools() -> dict[str, _Pool]:
    """Return the pools of the modules that are loaded: looking must not load one."""
    found: dict[str, _Pool] = {}
    for module, name in POOLS:
        maker = getattr(sys.modules.get(module), name, None)
        if maker is not None:
            found[f"{module}.{name}()"] = maker()
    return found


@dataclass(frozen=True)
class Snapshot:
    """The counts at one moment."""

    descriptors: frozenset[int]
    live: dict[str, int]
    allocator: object

    @classmethod
    def take(cls) -> "Snapshot":
        """Count now."""
        live = {name: pool.statistics().live_blocks for name, pool in pools().items()}
        return cls(open_descriptors(), live, _default_allocator())

    def grown(self, before: "Snapshot") -> list[str]:
        """Say what is there now and was not there before, one line each."""
        lines = []
        for fd in sorted(self.descriptors - before.descriptors):
            lines.append(f"descriptor {fd} is open: {_target(fd)}")
        for name, live in self.live.items():
            kept = live - before.live.get(name, 0)
            if kept > 0:
                lines.append(f"{name} has {kept} more live blocks than before")
        return lines


def _default_allocator() -> object:
    ask = getattr(sys.modules.get("zbuf.buffer"), "default_allocator", None)
    return ask() if ask is not None else None


def _target(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return "?"


def put_back(before: Snapshot) -> list[str]:
    """Put the default allocator back that was there before the test: the next one must not suffer."""
    found = _default_allocator()
    if before.allocator is None or found is before.allocator:
        return []
    sys.modules["zbuf.buffer"].set_default_allocator(before.allocator)
    return [f"the default allocator was replaced by {found!r}"]


def left_behind(before: Snapshot) -> list[str]:
    """Return what the test left behind, after as many collections as a chain of finalisers may need."""
    grown = Snapshot.take().grown(before)
    for _ in range(3):
        if not grown:
            break
        gc.collect()  # conftest froze what pytest itself holds, so this is cheap
        grown = Snapshot.take().grown(before)
    return grown
