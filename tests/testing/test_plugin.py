"""The pytest plug-in, in a pytest of its own: a test that leaks fails, a clean one does not.

Owns    the fixtures `ledger` and `copy_budget`.
Never   the ledger's or the budget's own rules: see tests/memory/test_ledger.py and test_copy_budget.py.
Always  each inner run is a process of its own."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
HEAD = """
import warnings, gc, pytest, zbuf
pool = zbuf.Pool()
kept = []
"""


def is_installed() -> bool:
    """Whether pytest finds the plug-in by itself here."""
    return any(entry.name == "zbuf" for entry in entry_points(group="pytest11"))


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file under the plug-in."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return Run(pytester)


class Run:
    """One inner run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def __call__(self, code: str, *arguments: str) -> pytest.RunResult:
        self.pytester.makepyfile(HEAD + code)
        plugin = [] if is_installed() else ["-p", "zbuf.testing.plugin"]
        return self.pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", *arguments)


def test_the_project_declares_the_plug_in() -> None:
    """Installed, it is there without a word in a conftest."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"zbuf": "zbuf.testing.plugin"}


def test_a_test_that_leaves_a_block_leased_fails_and_names_the_line(run: Run) -> None:
    """Who leased it, how large it is, and who holds it."""
    result = run(
        """
def test_it(ledger):
    buf = pool.buffer(100)
    kept.append(buf)
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*the test left 1 pooled block(s) leased:*",
            "*128 bytes, pooled (100 asked for*leased at *test_a_test_that_leaves*.py:6 in test_it*",
            "*held by a ByteBuf made at*:6 in test_it*",
            "*item of a list of 1*",
        ]
    )


def test_a_slice_that_pins_a_block_is_found_as_well(run: Run) -> None:
    """The buffer was released, the slice was kept."""
    result = run(
        """
def test_it(ledger):
    with pool.buffer(4096) as buf:
        buf.write_bytes(bytes(4096))
        kept.append(buf.slice(0, 10))
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*4096 bytes, pooled*", "*held by a SlicedByteBuf made at*:8 in test_it*"])


def test_a_view_that_pins_a_block_is_found_as_well(run: Run) -> None:
    """An export holds it."""
    result = run(
        """
def test_it(ledger):
    with pool.buffer(64) as buf:
        buf.write_int(1)
        kept.append(buf.view())
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*held by 1 memoryview(s) or array(s)*"])


def test_clean_tests_pass(run: Run) -> None:
    """Released, dropped, collected out of a cycle, leased before, or not from a pool: no leak."""
    result = run(
        """
early = pool.buffer(10)
def test_released(ledger):
    buf = pool.buffer(100)
    part = buf.slice()
    buf.release()
    part.release()
    assert ledger.live() == []
def test_cycle(ledger):
    class Node: pass
    node = Node()
    node.me, node.buf = node, pool.buffer(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        del node
        gc.collect()
def test_pending_cycle(ledger):
    class Node: pass
    node = Node()
    node.me, node.buf = node, pool.buffer(10)
def test_early(ledger):
    kept.append(early.slice())
def test_unpooled(ledger):
    kept.append(zbuf.copied(b"constant"))
def test_not_asked():
    kept.append(pool.buffer(10))
def test_it_is_off_again():
    assert not zbuf.memory.ledger.is_on
"""
    )
    result.assert_outcomes(passed=7)


def test_a_test_that_failed_already_is_not_accused_of_leaking(run: Run) -> None:
    """Its traceback holds the buffer."""
    result = run(
        """
def test_it(ledger):
    buf = pool.buffer(100)
    assert buf.capacity == 7
"""
    )
    result.assert_outcomes(failed=1)
    assert "pooled block(s) leased" not in result.stdout.str()


def test_the_fixture_hands_out_the_ledger(run: Run) -> None:
    """A test may ask it questions, and with ResourceWarning as an error a forgotten release fails too."""
    result = run(
        """
def test_it(ledger):
    buf = pool.buffer(100)
    assert [lease.asked for lease in ledger.live()] == [100]
    buf.release()
def test_forgotten(ledger):
    pool.buffer(100)
""",
        "-W",
        "error::ResourceWarning",
        "-W",
        "error::pytest.PytestUnraisableExceptionWarning",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*UnreleasedWarning*100 bytes was dropped without release()*"])


def test_copy_budget_is_a_fixture_too(run: Run) -> None:
    """It fails the test where the limit is exceeded."""
    result = run(
        """
def test_within(copy_budget):
    buf = zbuf.copied(b"bytes" * 10)
    with copy_budget(0):
        buf.slice()
def test_beyond(copy_budget):
    buf = zbuf.copied(b"bytes" * 10)
    with copy_budget(0):
        bytes(buf)
"""
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*50 bytes in all, allowed 0*", "*tobytes: 50 bytes in 1 copies*"])
