"""Write the public surface of zbuf to docs/api.txt, one line per name, so that a changed promise is a visible diff.

    python .ci/api.py             rewrite docs/api.txt
    python .ci/api.py --print     print it instead

Signatures are read off the interpreted form, whatever was built. Writing needs Python 3.12 or newer: before that there
is no `Buffer` to name, and `Any` stands in its place.
"""

import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType

from c_only import is_c_only

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "api.txt"
NOT_OURS = {
    "zbuf.cli",  # a program, not a library: its surface is its command line
    "zbuf.testing.plugin",  # its surface is its fixtures, and it needs pytest
}


def modules() -> list[ModuleType]:
    """Import every public module: the front door, the rooms, and public modules within them."""
    import zbuf  # here: main() first sets which form is loaded

    found = [zbuf]
    for info in pkgutil.walk_packages(zbuf.__path__, "zbuf."):
        private = any(part.startswith("_") for part in info.name.split("."))
        if not private and info.name.partition(".")[2] and not any(info.name.startswith(name) for name in NOT_OURS):
            found.append(importlib.import_module(info.name))
    return found


TIDY = (
    (r"<[^<>]* at 0x[0-9a-f]+>", "..."),
    (r"<(\w+\.\w+): [^<>]*>", r"\1"),  # a member of an enumeration
    (r"<(?:class|built-in function) '?([\w.]+)'?>", r"\1"),
    (r"\b(?:zbuf|collections|typing|asyncio|os|types)(?:\.[A-Za-z_]\w*)*\.([A-Za-z_]\w*)", r"\1"),
    (r"= (\w+)\([^()]*(?:\([^()]*\)[^()]*)*\)", r"= \1(...)"),  # a default that is a record
    (r"'|~", ""),
    (r"NoneType", "None"),
)


def signature(obj: object) -> str:
    """Return the signature as text that is the same in every run; nothing for what has none."""
    try:
        text = str(inspect.signature(obj))  # type: ignore[arg-type]  # TypeError is the answer for the rest
    except (TypeError, ValueError):
        return ""
    for pattern, shown in TIDY:
        text = re.sub(pattern, shown, text)
    return text + (" [coroutine]" if inspect.iscoroutinefunction(obj) else "")


def members(cls: type, promised: set[int]) -> Iterator[tuple[str, str]]:
    """Yield what a user of the class may touch: (name, signature).

    Left out: what is not zbuf's own, and what a promised base class has in the same form and says itself.
    """
    said = [base for base in cls.__mro__[1:] if id(base) in promised]
    for name in sorted(dir(cls)):
        if name.startswith("_"):
            continue
        home = _home(cls, name)
        if home is None or not home.__module__.startswith("zbuf"):
            continue
        if is_c_only(home, name) or any(_home(base, name) is home for base in said):
            continue
        value = vars(home)[name]
        if isinstance(value, staticmethod | classmethod):
            yield name, signature(getattr(cls, name))
        elif inspect.isfunction(value):
            yield name, signature(value)
        else:
            yield name, ""


def _home(cls: type, name: str) -> type | None:
    return next((base for base in cls.__mro__ if name in vars(base)), None)


def surface() -> list[str]:
    """Return the lines of docs/api.txt."""
    lines = []
    rooms = modules()
    homes = {id(vars(room)[name]): f"{room.__name__}.{name}" for room in rooms[1:] for name in exported(room)}
    for room in rooms:
        for name in exported(room):
            obj = getattr(room, name)
            address = f"{room.__name__}.{name}"
            home = homes.get(id(obj), address)
            if room is rooms[0] and home != address and not isinstance(obj, str | int | None):
                lines.append(f"{address} = {home}")
                continue
            lines.append(address + ("" if _is_plain(obj) else signature(obj)))
            if inspect.isclass(obj):
                lines.extend(f"{address}.{member}{text}" for member, text in members(obj, set(homes)))
    return lines


def _is_plain(obj: object) -> bool:
    if inspect.isclass(obj):
        return issubclass(obj, Enum) or getattr(obj, "_is_protocol", False)  # called by nobody
    return not inspect.isroutine(obj)


def exported(module: ModuleType) -> list[str]:
    """Return the names a module promises, sorted."""
    return sorted(getattr(module, "__all__", []))


def main() -> None:
    """Write or print the surface."""
    os.environ["ZBUF_PURE"] = "1"
    os.environ.pop("ZBUF_REQUIRE_COMPILED", None)
    sys.path.insert(0, str(ROOT))
    text = "\n".join(surface()) + "\n"
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text)
    elif sys.version_info < (3, 12):
        raise SystemExit("needs Python 3.12 or newer")
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
