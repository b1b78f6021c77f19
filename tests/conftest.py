"""What every test gets: the form that runs, the loops, and a look at what the test left behind.

Owns    the header of the run, ZBUF_EXPECT_FORM, the loop fixtures, the leak fixture.
Never   a room: fixtures of one room stand in that room's folder.
Always  a run that was promised one form and got the other fails before the first test.
"""

import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, TypeVar

import hypothesis
import pytest

import zbuf._form
from tests import leaks, loops

T = TypeVar("T")

hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.register_profile("pr", deadline=None, max_examples=200, stateful_step_count=50, print_blob=True)
hypothesis.settings.register_profile(
    "nightly", deadline=None, max_examples=5000, stateful_step_count=100, print_blob=True
)
hypothesis.settings.load_profile("default")


def pytest_configure(config: pytest.Config) -> None:
    """Fail at once when the form that runs is not the one the run is about."""
    wanted = os.environ.get("ZBUF_EXPECT_FORM")
    running = zbuf._form.form()
    if wanted and wanted != running:
        reason = zbuf._form.REASON
        pytest.exit(f"ZBUF_EXPECT_FORM={wanted}, but zbuf runs {running}: {reason}", returncode=4)
    loops.warm_up()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take what was collected out of the garbage collector's sight: looking for leaks then costs what a test made."""
    gc.collect()
    gc.freeze()


def pytest_report_header(config: pytest.Config) -> str:
    """Say which form is tested, and on what."""
    kinds = ["asyncio" if kind == "stock" else kind for kind in loops.KINDS if loops.is_there(kind)]
    python = sys.version.split()[0]
    return f"zbuf form: {zbuf._form.form()}, CPython {python}, loops: {', '.join(kinds)}"


@pytest.fixture(params=loops.KINDS)
def event_loop_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of loop in turn."""
    kind: str = request.param
    if not loops.is_there(kind):
        pytest.skip(f"{kind} is not installed")
    return kind


@pytest.fixture
def run(event_loop_kind: str) -> Callable[[Coroutine[Any, Any, T]], T]:
    """`run(coro)` on each kind of loop in turn."""

    def on_this_kind(coro: Coroutine[Any, Any, T], *, timeout: float = 30.0) -> T:
        return loops.run(coro, event_loop_kind, timeout=timeout)

    return on_this_kind


class _Complaints(logging.Handler):
    """Collects what loops report: their exception handler logs it, and says so in `asyncio`'s logger."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which tests failed: their tracebacks keep what they made, and say enough already."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test that leaves a descriptor open, a pooled block live, or an event loop complaining."""
    before = leaks.Snapshot.take()
    complaints = _Complaints()
    logger = logging.getLogger("asyncio")
    logger.addHandler(complaints)
    try:
        yield
    finally:
        logger.removeHandler(complaints)
    grown = leaks.put_back(before)
    if request.node.stash.get(FAILED, False):
        return
    grown += leaks.left_behind(before)
    if not request.node.get_closest_marker("loop_errors_expected"):
        grown += [f"the event loop reported: {line}" for line in complaints.lines]
    if grown:
        pytest.fail("the test left something behind:\n  " + "\n  ".join(grown), pytrace=False)
