"""The test-suite's own safety net: a test that leaks must fail, and a run in the wrong form must not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zbuf._form

ROOT = Path(__file__).resolve().parent.parent


def pytest_on(path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run one file under this suite's conftest in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull]
    return subprocess.run(
        [*command, "--rootdir", str(path.parent), str(path)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


DESCRIPTOR = """
import os
def test_it():
    os.open(os.devnull, os.O_RDONLY)
"""
CALLBACK = """
import asyncio
async def main():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.01)
def test_it():
    asyncio.run(main())
"""
POOLED_BLOCK = """
import pytest, zbuf
kept = []
@pytest.fixture(scope="module", autouse=True)
def pool():
    zbuf.set_default_allocator(zbuf.Pool())
def test_it():
    kept.append(zbuf.default_allocator().buffer(256))
"""
ALLOCATOR = """
import zbuf
def test_it():
    zbuf.set_default_allocator(zbuf.Pool())
"""
LEAKS = {
    "allocator": (ALLOCATOR, "the default allocator was replaced"),
    "descriptor": (DESCRIPTOR, "is open"),
    "callback": (CALLBACK, "the event loop reported"),
    "pooled_block": (POOLED_BLOCK, "more live blocks"),
}


@pytest.mark.parametrize("what", LEAKS)
def test_leak_of_each_kind_fails_the_test_that_made_it(what: str, tmp_path: Path) -> None:
    """A test that leaves something behind on purpose is reported as an error that names it."""
    source, message = LEAKS[what]
    path = tmp_path / "test_leaky.py"
    path.write_text(source)
    result = pytest_on(path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert message in result.stdout


def test_clean_test_passes(tmp_path: Path) -> None:
    """The net lets a test through that closes what it opened."""
    path = tmp_path / "test_clean.py"
    path.write_text("import os\ndef test_it():\n    os.close(os.open(os.devnull, os.O_RDONLY))\n")
    result = pytest_on(path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"zbuf form: {zbuf._form.form()}" in result.stdout


def test_failing_test_is_reported_once(tmp_path: Path) -> None:
    """What a failed test still holds, because its traceback does, is not reported on top."""
    path = tmp_path / "test_failing.py"
    path.write_text("import os\ndef test_it():\n    os.open(os.devnull, os.O_RDONLY)\n    assert 1 == 2\n")
    result = pytest_on(path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 failed in" in result.stdout


def test_wrong_form_stops_the_run(tmp_path: Path) -> None:
    """A run that expects the other form ends before its first test, with a status of its own."""
    path = tmp_path / "test_never.py"
    path.write_text("def test_it():\n    pass\n")
    other = "interpreted" if zbuf._form.form() == "compiled" else "compiled"
    result = pytest_on(path, ZBUF_EXPECT_FORM=other)
    assert result.returncode == 4, result.stdout + result.stderr
    assert f"ZBUF_EXPECT_FORM={other}" in result.stdout + result.stderr
    assert "passed" not in result.stdout
