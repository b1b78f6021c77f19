"""Which names of a compiled class only C code can reach: the .pxd declares them with `cdef`.

The interpreted form shows them, because there they are plain methods and attributes. They are no part of the public
surface, so docs/api.txt and the reference leave them out.
"""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def is_c_only(home: type, name: str) -> bool:
    """Say whether `name`, defined by the class `home`, cannot be reached from Python in the compiled form.

    A class that overrides what its base declares for C alone declares nothing itself.
    """
    return any(name in _declared(base.__module__).get(base.__name__, ()) for base in home.__mro__)


@cache
def _declared(module: str) -> dict[str, frozenset[str]]:
    path = ROOT / (module.replace(".", "/") + ".pxd")
    if not path.exists():
        return {}
    found: dict[str, set[str]] = {}
    names: set[str] = set()
    for line in path.read_text().splitlines():
        head = re.match(r"cdef class (\w+)", line)
        if head:
            names = found.setdefault(head[1], set())
        elif re.match(r"\S", line):
            names = set()  # a declaration outside a class
        else:
            names.update(_names(line))
    return {name: frozenset(hidden) for name, hidden in found.items()}


def _names(line: str) -> list[str]:
    """Return what a line within a class declares for C alone."""
    declaration = re.match(r"\s+cdef (?!readonly |public )(.*)", line.partition("#")[0])
    if declaration is None:
        return []
    function = re.match(r"[^(]*?(\w+)\s*\(", declaration[1])
    if function:
        return [function[1]]
    first, *others = declaration[1].split(",")
    return [first.split()[-1].strip("*"), *(other.strip(" *") for other in others)]
