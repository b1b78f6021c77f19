"""User code passes mypy and pyright, both strict, and each mistake is rejected by both, on its own line.

Owns    the comparison of what the two checkers report with the marks in rejected.py; the score of the public types.
Never   zbuf run: the programs beside this file are checked, not executed.
Always  a checker that is not installed is named in the skip; `nox -s types` installs both."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
REJECTED = HERE / "rejected.py"
USERS = sorted(HERE.glob("user_*.py"))
MARK = re.compile(r"# expect: (?P<mypy>[\w,-]+) (?P<pyright>[\w,]+)$")
# NumPy declares `__buffer__` for Python 3.12 and later only, whatever Python runs.
NEEDS_312 = {"user_numpy.py"}
VERSIONS = ("3.11", "3.12", "3.13")

Reports = dict[tuple[str, int], set[str]]

pytestmark = pytest.mark.timeout(300)


def need(module: str) -> None:
    """Skip where a checker is missing."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def run(*command: str) -> str:
    """Run a checker in the root of the project and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # the package is found as if it were installed
    whole = [sys.executable, "-m", *command]
    done = subprocess.run(whole, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 2 and more: the checker itself failed
    return done.stdout


def said_by_mypy(files: list[Path], version: str) -> Reports:
    """(file, line) -> codes, as mypy reports them."""
    need("mypy")
    found: Reports = defaultdict(set)
    names = [str(path.relative_to(ROOT)) for path in files]
    for line in run("mypy", "--strict", "--python-version", version, "--output", "json", *names).splitlines():
        if not line.startswith("{"):
            continue  # "Success: ..."
        report = json.loads(line)
        if report["severity"] == "error":
            found[Path(report["file"]).name, report["line"]].add(report["code"])
    return found


def said_by_pyright(files: list[Path], version: str) -> Reports:
    """(file, line) -> rules, as pyright reports them under the settings of pyproject.toml."""
    need("basedpyright")
    found: Reports = defaultdict(set)
    names = [str(path.relative_to(ROOT)) for path in files]
    command = ["basedpyright", "--outputjson", "--pythonpath", sys.executable, "--pythonversion", version, *names]
    answer = json.loads(run(*command))
    assert answer["summary"]["filesAnalyzed"] == len(files)
    for report in answer["generalDiagnostics"]:
        found[Path(report["file"]).name, report["range"]["start"]["line"] + 1].add(report["rule"])
    return found


def marked(checker: str) -> Reports:
    """What the marks in rejected.py promise of a checker."""
    promised: Reports = {}
    for number, line in enumerate(REJECTED.read_text().splitlines(), 1):
        if mark := MARK.search(line):
            promised[REJECTED.name, number] = set(mark[checker].split(","))
    assert len(promised) > 50
    return promised


CHECKERS = {"mypy": said_by_mypy, "pyright": said_by_pyright}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("checker", CHECKERS)
def test_programs_of_users_pass(checker: str, version: str) -> None:
    """Neither checker has anything to say about code that is right."""
    files = [path for path in USERS if version != "3.11" or path.name not in NEEDS_312]
    assert len(files) >= 4
    assert dict(CHECKERS[checker](files, version)) == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_each_mistake_is_rejected_and_nothing_else(checker: str) -> None:
    """The lines that a checker reports are those with a mark, and the reasons are those of the mark."""
    assert marked(checker) == CHECKERS[checker]([REJECTED], "3.11")


def test_the_type_of_every_public_name_is_known() -> None:
    """pyright's score of the public surface is 100 %: nothing of it is left to a checker's inference."""
    need("basedpyright")
    command = ["basedpyright", "--verifytypes", "zbuf", "--ignoreexternal", "--outputjson"]
    answer = json.loads(run(*command, "--pythonpath", sys.executable))["typeCompleteness"]
    unknown = [
        f"{symbol['name']}: {report['message'].splitlines()[0]}"
        for symbol in answer["symbols"]
        for report in symbol["diagnostics"]
        if report["severity"] == "error"
    ]
    assert unknown == []
    assert answer["completenessScore"] == 1.0
