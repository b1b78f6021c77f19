"""The codec of the how-to: its test runs, its server answers its client, and it is as short as the page says."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.docs._running import EXAMPLES, ROOT, SECONDS, output_of, running, shown

HERE = EXAMPLES / "first_codec"


def lines_of_code(path: Path) -> int:
    """Lines that are neither blank, comment nor docstring."""
    text = path.read_text()
    taken: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            taken.update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    code = [line for at, line in enumerate(text.splitlines(), 1) if line.strip() and at not in taken]
    return len([line for line in code if not line.lstrip().startswith("#")])


def test_the_users_own_test_passes() -> None:
    """The page's test, run as the page says, sees every claim hold."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts="],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


def test_codec_takes_fewer_than_sixty_lines() -> None:
    """Message, decoder and encoder together."""
    assert lines_of_code(HERE / "posts.py") < 60


def test_server_answers_its_client() -> None:
    """Three posts there and back, the large one too, and the client prints what the page shows."""
    with running(str(HERE / "server.py"), "0", listens=r"listening on port (\d+)") as server:
        assert output_of(str(HERE / "client.py"), str(server.port)) == shown("first_codec")
