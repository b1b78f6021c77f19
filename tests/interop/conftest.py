"""Fixtures of this folder: the same leak check as in the contract tests, and no shared memory left in the system.

Owns    the look at /dev/shm.
Never   an expectation about one library.
Always  a segment that a test forgets fails that test, by name."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

from tests.contracts.conftest import no_shape_left

__all__ = ["no_segment_left", "no_shape_left"]

SEGMENTS = Path("/dev/shm")  # where Linux shows what shm_open made


def segments() -> set[str]:
    """The names of what multiprocessing has there: psm_ and eight digits."""
    return {path.name for path in SEGMENTS.glob("psm_*")} if SEGMENTS.is_dir() else set()


@pytest.fixture(scope="session", autouse=True)
def _tracker() -> None:
    """Start the process that watches over shared memory: it keeps a pipe, and is no test's doing."""
    resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def no_segment_left() -> Iterator[None]:
    """No test leaves a segment of shared memory in the system."""
    before = segments()
    yield
    assert segments() - before == set()
