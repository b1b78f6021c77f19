"""The pytest plug-in: fixtures for people who test codecs and handlers. pytest loads it where zbuf is installed.

Owns    the fixtures `ledger` and `copy_budget`.
Never   an effect on a test that asks for neither.
Always  a test that failed already is not accused of leaking: its traceback holds what it made.
"""

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager

import pytest

from zbuf.audit import OpenBill
from zbuf.memory import Lease, Ledger, Snapshot
from zbuf.memory import ledger as the_ledger
from zbuf.testing._copy_budget import copy_budget as budget

__all__ = ["copy_budget", "ledger"]

_FAILED = pytest.StashKey[bool]()
COLLECTIONS = 3  # a chain of finalisers may need several; arbitrary


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which tests failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Keep the leak ledger during the test, and fail the test when it leaves blocks of a pool leased.

    The failure names the lines that leased them and who holds them. Blocks leased before do not count."""
    with the_ledger.keeping():
        before = the_ledger.snapshot()
        yield the_ledger
        if request.node.stash.get(_FAILED, False):
            return
        left = _left_since(before)
        if left:
            lines = [line for lease in left for line in (lease.describe(), *_indented(lease))]
            pytest.fail(f"the test left {len(left)} pooled block(s) leased:\n" + "\n".join(lines), pytrace=False)


def _left_since(before: Snapshot) -> list[Lease]:
    left = [lease for lease in before.new() if lease.pooled]
    for _ in range(COLLECTIONS):
        if not left:
            break
        gc.collect()
        left = [lease for lease in before.new() if lease.pooled]
    return left


def _indented(lease: Lease) -> list[str]:
    return [f"    {line}" for line in lease.held_by()]


@pytest.fixture
def copy_budget() -> Callable[..., AbstractContextManager[OpenBill]]:
    """Hand out `zbuf.testing.copy_budget`, by which a test fails when more bytes are copied than it allows."""
    return budget
