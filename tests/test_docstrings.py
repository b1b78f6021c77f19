"""Prose that can run, runs: every `>>>` in a docstring of the package or in a page of the documentation."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import zbuf

ROOT = Path(__file__).resolve().parent.parent


def in_sources() -> Iterator[tuple[str, str, int, str]]:
    """Yield (module, name, line, docstring) for each docstring with an example: both forms have the same source."""
    for path in sorted((ROOT / "zbuf").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text and ">>>" in text:
                    yield module, getattr(node, "name", "module"), getattr(node, "lineno", 1), text


SOURCES = list(in_sources())
PAGES = sorted(path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if ">>>" in path.read_text())


def failures(text: str, names: dict[str, object], where: str, line: int) -> tuple[int, str]:
    """Run the examples of a text and return how many there were and what went wrong."""
    example = doctest.DocTestParser().get_doctest(text, names, where, where, line)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=report.append)
    return len(example.examples), "".join(report)


@pytest.mark.parametrize(("module", "name", "line", "text"), SOURCES, ids=[f"{m}:{n}" for m, n, _, _ in SOURCES])
def test_examples_in_docstrings_print_what_they_say(module: str, name: str, line: int, text: str) -> None:
    """The example in a docstring runs, with the names of its module and of the front door, in the form tested."""
    names = {**vars(zbuf), **vars(importlib.import_module(module)), "zbuf": zbuf}
    count, report = failures(text, names, f"{module}.{name}", line)
    assert count > 0
    assert report == ""


def test_examples_in_pages_print_what_they_say() -> None:
    """The examples of a page run from its top to its end, each seeing what the ones before it made."""
    for path in PAGES:
        blocks = re.findall(r"^```(?:python|pycon)\n(.*?)^```", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        text = "\n".join(block for block in blocks if ">>>" in block)
        count, report = failures(text, {"zbuf": zbuf}, str(path), 0)
        assert count > 0, path
        assert report == "", path
