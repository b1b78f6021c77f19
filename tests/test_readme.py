"""The README keeps its word: its commands are the ones that run, and what it points to is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    """The command lines of the README's console blocks, in order."""
    blocks: list[str] = re.findall(r"^```console\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_readme_has_two_commands_of_one_line_each() -> None:
    """One command runs the main job, one the checks; each makes its own environment and activates nothing."""
    run, check = commands()
    assert run.endswith(" serve .")
    assert check.endswith(" -m nox")
    for command, place in ((run, ".venv/run"), (check, ".venv/test")):
        assert command.startswith(f"python3 -m venv --clear --without-pip {place} && ")
        assert "activate" not in command
        assert "sudo" not in command


def test_ci_runs_the_second_command_as_printed_and_nothing_else() -> None:
    """.ci/run holds the README's second command; apart from it only comments, shell options and the way to the root."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    said = [line for line in lines if line and not line.startswith(("#", "set -", "cd "))]
    assert [commands()[1]] == said


def test_files_the_readme_points_to_are_there() -> None:
    """No link of the README leads nowhere."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", README)
    assert targets
    assert [] == [target for target in targets if not (ROOT / target).exists()]


def test_extras_the_readme_installs_exist() -> None:
    """The first command asks for extras that pyproject.toml defines."""
    asked = re.findall(r'"\.\[([\w,]+)\]"', commands()[0])
    assert asked
    defined = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE))
    assert set(asked[0].split(",")) <= defined


@pytest.mark.parametrize("call", [["-m", "zbuf"], ["zbuf"]], ids=["module", "script"])
def test_main_job_is_reachable_both_ways(call: list[str]) -> None:
    """`python -m zbuf` and the installed `zbuf` know the command `serve`."""
    script = shutil.which("zbuf", path=str(Path(sys.executable).parent))
    if call == ["zbuf"] and script is None:
        pytest.skip("zbuf is not installed in this environment, only its sources are there")
    command = [script, "serve", "--help"] if script and call == ["zbuf"] else [sys.executable, *call, "serve", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "--port" in done.stdout
