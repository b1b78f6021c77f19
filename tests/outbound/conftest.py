"""Fixtures of the queue's tests: a pool that must be empty again, a queue on it, a wire behind it."""

from collections.abc import Iterator

import pytest

import zbuf
from tests.outbound._kit import Wire
from zbuf.outbound import OutboundQueue


@pytest.fixture
def pool() -> Iterator[zbuf.Pool]:
    """A pool of the test's own: every block is back when the test is over."""
    pool = zbuf.Pool()
    yield pool
    assert pool.statistics().live_blocks == 0, pool.statistics()


@pytest.fixture
def queue(pool: zbuf.Pool) -> OutboundQueue:
    """A queue with the default settings."""
    return OutboundQueue(pool)


@pytest.fixture
def wire(queue: OutboundQueue) -> Wire:
    """What the queue sends to."""
    return Wire(queue)
