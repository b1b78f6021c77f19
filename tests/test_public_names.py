"""The public surface: it is what docs/api.txt says, each name has one address, and each is explained."""

import difflib
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import zbuf

ROOT = Path(__file__).resolve().parent.parent


def rooms() -> list[ModuleType]:
    """Every public module below the front door that promises names."""
    found = []
    for info in pkgutil.walk_packages(zbuf.__path__, "zbuf."):
        if not any(part.startswith("_") for part in info.name.split(".")):
            module = importlib.import_module(info.name)
            if hasattr(module, "__all__"):
                found.append(module)
    return found


ROOMS = rooms()
PUBLIC = [(room.__name__, name) for room in [zbuf, *ROOMS] for name in room.__all__]


def listed() -> list[str]:
    """The lines of docs/api.txt."""
    return (ROOT / "docs" / "api.txt").read_text().splitlines()


def test_public_surface_is_what_the_text_file_says() -> None:
    """docs/api.txt is up to date: a changed promise is a change in that file, too."""
    environment = {**os.environ, "ZBUF_PURE": "1"}
    environment.pop("ZBUF_REQUIRE_COMPILED", None)
    command = [sys.executable, str(ROOT / ".ci" / "api.py"), "--print"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    said, found = listed(), done.stdout.splitlines()
    if sys.version_info < (3, 12):  # there is no Buffer to name yet
        said, found = ([re.sub(r"\bBuffer\b", "Any", line) for line in lines] for lines in (said, found))
    difference = list(difflib.unified_diff(said, found, "docs/api.txt", "the code", "", "", 0))
    assert not difference, "run `python3.12 .ci/api.py` and look at what changed:\n" + "\n".join(difference)


def is_there(line: str) -> bool:
    """Whether what a line of docs/api.txt names can be reached in the form that runs."""
    address = line.partition("(")[0].partition(" ")[0].split(".")
    depth = max(depth for depth in range(1, len(address)) if ".".join(address[:depth]) in sys.modules)
    obj: object = sys.modules[".".join(address[:depth])]
    for name in address[depth:]:
        fields = getattr(obj, "__dataclass_fields__", {}) | getattr(obj, "__annotations__", {})
        if not hasattr(obj, name) and name not in fields:
            return False
        obj = getattr(obj, name, None)
    return True


def test_listed_names_are_there_in_the_form_that_runs() -> None:
    """Each listed name can be reached in this form; compiled classes hide nothing that is promised."""
    assert [] == [line for line in listed() if not is_there(line)]


def test_each_public_name_has_one_address() -> None:
    """An object is promised by one room; the front door may hand it on under the same name."""
    homes: dict[int, str] = {}
    for room in ROOMS:
        for name in room.__all__:
            obj = getattr(room, name)
            if not (inspect.isclass(obj) or inspect.isroutine(obj)):
                continue
            address = f"{room.__name__}.{name}"
            assert id(obj) not in homes, f"{address} is also {homes[id(obj)]}"
            homes[id(obj)] = address
    for name in zbuf.__all__:
        home = homes.get(id(getattr(zbuf, name)), name)
        assert home.rpartition(".")[2] == name, f"zbuf.{name} is {home}"


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_public_name_is_there_and_explained(module: str, name: str) -> None:
    """What __all__ promises exists, and a class or function among it has a docstring."""
    obj = getattr(importlib.import_module(module), name)
    if inspect.isclass(obj) or inspect.isroutine(obj):
        assert inspect.getdoc(obj), f"{module}.{name} has no docstring"


def test_front_door_promises_no_private_name() -> None:
    """Nothing in __all__ starts with an underscore, except the version."""
    assert [] == [address for address in PUBLIC if address[1].startswith("_") and address[1] != "__version__"]
