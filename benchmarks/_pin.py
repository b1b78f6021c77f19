"""Which processor each side runs on.

Owns    the choice of two CPUs and putting a process on one of them.
Never   what runs there.
Always  the two sides are on different CPUs, or nobody is pinned and the head line says so."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def _allowed() -> list[int]:
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


_CPUS = _allowed()  # read once, at import: a pinned process would see itself only
HERE: int | None = _CPUS[0] if len(_CPUS) > 1 else None
THERE: int | None = _CPUS[1] if len(_CPUS) > 1 else None


def describe() -> str:
    """Return the pinning as a phrase for the head line."""
    if HERE is None:
        return "not pinned (fewer than two CPUs)"
    return f"measured side on CPU {HERE}, other side on CPU {THERE}"


def pin(cpu: int | None) -> None:
    """Put this process on `cpu`; None leaves it where it is."""
    if cpu is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})


@contextlib.contextmanager
def pinned(cpu: int | None) -> Iterator[None]:
    """Put this process on `cpu` for the length of the block, then let it run where it could before."""
    before = os.sched_getaffinity(0) if cpu is not None and hasattr(os, "sched_getaffinity") else None
    pin(cpu)
    try:
        yield
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)
