"""Write the public surface of zbuf to docs/api.txt, one line per name, so that a changed promise is a visible diff.

    python .ci/api.py             rewrite docs/api.txt
    python .ci/api.py --print     print it instead

Signatures are read off the interpreted form, whatever was built.
"""

import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "api.txt"
NOT_OURS = {"zbuf.cli"}  # a program, not a library: its surface is its command line


def modules() -> list[ModuleType]:
    """Import every public module: the front door, the rooms, and public modules within them."""
    import zbuf  # here: main() first sets which form is loaded

    found = [zbuf]
    for info in pkgutil.walk_packages(zbuf.__path__, "zbuf."):
        private = any(part.startswith("_") for part in info.name.split("."))
        if not private and info.name.partition(".")[2] and not any(info.name.startswith(name) for name in NOT_OURS):
            found.append(importlib.import_module(info.name))
    return found


def signature(obj: object) -> str:
    """Return the signature as text that is the same in every run; nothing for what has none."""
    try:
        text = str(inspect.signature(obj))  # type: ignore[arg-type]  # TypeError is the answer for the rest
    except (TypeError, ValueError):
        return ""
    text = re.sub(r"<[^<>]* at 0x[0-9a-f]+>", "...", text)
    text = re.sub(r"\b(?:zbuf|collections|typing|asyncio|os|types)(?:\.[A-Za-z_]\w*)*\.([A-Za-z_]\w*)", r"\1", text)
    return text.replace("'", "").replace("NoneType", "None")


def members(cls: type) -> Iterator[tuple[str, str]]:
    """Yield what a user of the class may touch, defined by zbuf itself: (name, signature)."""
    for name in sorted(dir(cls)):
        if name.startswith("_"):
            continue
        home = next((base for base in cls.__mro__ if name in vars(base)), None)
        if home is None or not home.__module__.startswith("zbuf"):
            continue
        value = vars(home)[name]
        if isinstance(value, staticmethod | classmethod):
            yield name, signature(getattr(cls, name))
        elif inspect.isfunction(value):
            yield name, signature(value)
        else:
            yield name, ""


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
                lines.extend(f"{address}.{member}{text}" for member, text in members(obj))
    return lines


def _is_plain(obj: object) -> bool:
    return not (inspect.isclass(obj) or inspect.isroutine(obj))


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
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
