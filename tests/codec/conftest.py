"""Fixtures of the codec tests.

Owns    a pool of its own for each test, and the check that nothing of it is left.
Never   an expectation about a decoder.
Always  the pool is empty again when the test is over, after a collection if need be."""

import gc
from collections.abc import Iterator

import pytest

from tests.codec._compressed import FORMATS, Format
from zbuf import Pool


@pytest.fixture(scope="session")
def form(request: pytest.FixtureRequest) -> Format:
    """A format of compression, whose library is there."""
    found = FORMATS[request.param]
    pytest.importorskip(found.library)
    return found


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool whose every block must be back at the end."""
    pool = Pool()
    yield pool
    if pool.statistics().live_blocks:
        gc.collect()
    assert pool.statistics().live_blocks == 0, "a pooled block is still held after the test"
