"""Fixtures of the contract tests.

Owns    the check that every test gives back the blocks it leased from the pool of the shapes.
Never   an expectation about one method; the default allocator and descriptors, which the suite's own fixture watches.
Always  a collection pass is paid for only when something seems to be left."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from zbuf.testing import _shapes


@pytest.fixture(autouse=True)
def no_shape_left() -> Iterator[None]:
    """No test leaves a block of the shapes' pool behind."""
    before = _shapes.POOL.statistics().live_blocks
    yield
    if _shapes.POOL.statistics().live_blocks > before:
        gc.collect()
        assert _shapes.POOL.statistics().live_blocks <= before, "a pooled block is still held after the test"
