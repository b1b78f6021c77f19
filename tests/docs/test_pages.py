"""The pages hold together: what they include is there, what they tell to type is what the tests run."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs._running import DOCS, EXAMPLES, ROOT

PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def is_program(path: Path) -> bool:
    """Whether something happens when the file is run; else it is a module of another program."""
    defining = ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign
    return not all(
        isinstance(node, defining | ast.AnnAssign)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in ast.parse(path.read_text()).body
    )


SOURCES = sorted(EXAMPLES.glob("*.py"))
PROGRAMS = [path.name for path in SOURCES if is_program(path)]


def text_of_all_pages() -> str:
    """All pages, one after the other."""
    return "\n".join(page.read_text() for page in PAGES)


def included() -> set[Path]:
    """Every program and every output that a page shows."""
    found = set()
    for page in PAGES:
        for name in re.findall(r"^```\{literalinclude\} (\S*examples/\S+)", page.read_text(), flags=re.MULTILINE):
            found.add((page.parent / name).resolve())
    return found


def test_every_program_and_every_output_stands_on_a_page_and_nothing_else_does() -> None:
    """A program that no page shows would rot; a page that shows no file could say anything."""
    there = {path for path in EXAMPLES.rglob("*") if path.suffix in (".py", ".pxd", ".txt")}
    assert there == included()


@pytest.mark.parametrize("source", [path.name for path in SOURCES])
def test_every_program_is_run_by_a_test(source: str) -> None:
    """The tests beside this one name each program, and each module but those that a program imports."""
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    name = source.removesuffix(".py")
    imported = any(re.search(rf"^from {name} import", path.read_text(), re.MULTILINE) for path in SOURCES)
    assert f'"{name}"' in tests or f'"{source}"' in tests or (imported and source not in PROGRAMS)


def test_every_program_on_a_command_line_exists() -> None:
    """`python docs/examples/x.py` in a page names a program that is there."""
    named = set(re.findall(r"^\$ python docs/examples/(\S+)", text_of_all_pages(), flags=re.MULTILINE))
    assert named == set(PROGRAMS)


def test_pages_have_no_python_that_nobody_runs() -> None:
    """A block of Python in a page is a doctest, or it is included from a program."""
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE):
            assert ">>>" in block, (page.name, block)


def test_readme_shows_the_echo_server_as_it_is() -> None:
    """The lines in the README are lines of the program, in its order."""
    program = (EXAMPLES / "echo_server.py").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        assert block in program


def test_zero_copy_is_never_said_without_broad_or_narrow() -> None:
    """The bare word has two meanings. Where it stands alone it is a quotation, a title or a name."""
    for page in [ROOT / "README.md", *PAGES]:
        for found in re.finditer(r"zero-copy", page.read_text(), flags=re.IGNORECASE):
            before = page.read_text()[max(0, found.start() - 24) : found.start()].lower()
            around = before + page.read_text()[found.start() : found.end() + 3]
            said = "broad" in before or "narrow" in before
            assert said or '"zero-copy"' in around.lower() or "/zero-copy" in around, (page.name, around)
