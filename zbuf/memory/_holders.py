"""Who refers to a block: the search through all that the garbage collector knows, in words for people.

Owns    the words.
Never   a guess about what the collector cannot see: C code, arrays that it does not track.
Always  a best effort: an answer may miss holders, what it names does hold.
"""

import contextlib
import gc
import inspect
import sys
from types import FrameType
from typing import Any

__all__ = ["holders_of"]

_STEPS = 4  # memory, managed buffer, wrapper of PEP 688, view
_BETWEEN = {"managedbuffer", "_buffer_wrapper", "_Export"}  # what stands between a view and its memory


def holders_of(memory: Any, handles: list[tuple[Any, Any]]) -> list[str]:
    """Return a line for each referrer of each handle (with its birthplace) and of each view of the block."""
    lines = []
    views = _views(memory)
    ours = [handles, *handles, views]
    for handle, place in handles:
        for line in _referrers(handle, ours):
            lines.append(f"{type(handle).__name__} made at {place}: {line}")
    for view in views:
        for line in _referrers(view, ours):
            lines.append(f"{type(view).__name__} of {len(view)} bytes: {line}")
    return lines


def _views(memory: Any) -> list[Any]:
    """Return the memoryviews and carrier arrays over the block that the collector can reach."""
    found: list[Any] = []
    seen = {id(memory)}
    front = [memory]
    for _ in range(_STEPS):
        following = []
        for referrer in gc.get_referrers(*front):
            if id(referrer) in seen or referrer is front:
                continue
            seen.add(id(referrer))
            if isinstance(referrer, memoryview):
                found.append(referrer)
            elif type(referrer).__name__ in _BETWEEN:
                following.append(referrer)
        if not following:
            break
        front = following
    return found


def _referrers(obj: Any, ours: list[Any]) -> list[str]:
    lines = []
    for thread in list(sys._current_frames()):
        lines += _locals(obj, sys._current_frames().get(thread))  # in no variable: it may be this very frame
    for referrer in gc.get_referrers(obj):
        if not isinstance(referrer, FrameType) and not any(referrer is mine for mine in ours):
            lines.append(_words(referrer, obj))
    return list(dict.fromkeys(lines)) or ["nobody the interpreter can name"]


def _locals(obj: Any, frame: FrameType | None) -> list[str]:
    """Return the local variables that are `obj`, of the functions that run in a thread."""
    lines = []
    while frame is not None:
        inside = frame.f_globals.get("__name__", "").startswith("zbuf.memory.")
        if not inside and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            code, known = frame.f_code, frame.f_locals
            for name, value in list(known.items()):
                if value is obj:
                    lines.append(f"local {name!r} of {code.co_qualname} ({code.co_filename}:{frame.f_lineno})")
            if _COPIES and sys.gettrace() is None:  # a tracer would take the names away from the function, too
                known.clear()
        frame = frame.f_back
    return lines


_COPIES = sys.version_info < (3, 13)  # there the frame keeps a copy of its locals, which would pin what we looked for


def _words(referrer: Any, obj: Any) -> str:
    """Say what `referrer` is and where in it `obj` stands."""
    if isinstance(referrer, dict):
        key = next((key for key, value in referrer.items() if value is obj), None)
        for module in list(sys.modules):
            if getattr(sys.modules.get(module), "__dict__", None) is referrer:
                return f"global {key!r} of module {module}"
        for owner in gc.get_referrers(referrer):
            if getattr(owner, "__dict__", None) is referrer:
                return f"attribute {key!r} of a {type(owner).__qualname__}"
        return f"value of {key!r} in a dict of {len(referrer)}"
    if isinstance(referrer, list | tuple | set | frozenset):
        return f"item of a {type(referrer).__name__} of {len(referrer)}"
    for name in _names(referrer):
        with contextlib.suppress(Exception):  # a property of somebody's may raise anything
            if getattr(referrer, name, None) is obj:
                return f"attribute {name!r} of a {type(referrer).__qualname__}"
    return f"a {type(referrer).__qualname__}"


def _names(referrer: Any) -> list[str]:
    names = list(getattr(referrer, "__dict__", ()))
    for cls in type(referrer).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return names
