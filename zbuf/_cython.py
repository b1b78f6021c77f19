"""The few names of Cython that hot files use, as names that do nothing: the interpreted form without Cython installed.

Owns    `compiled` and decorators that hand their argument back.
Never   anything of zbuf, and nothing that a real `cython` module would do differently in the interpreted form.
Always  `compiled` is False; a decorated object is the object.
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

compiled = False


def _same(obj: T) -> T:
    return obj


def _configured(*_args: object, **_kwargs: object) -> Callable[[T], T]:
    return _same


final = cfunc = ccall = cclass = inline = internal = no_gc = no_gc_clear = total_ordering = _same
locals = returns = freelist = boundscheck = wraparound = cdivision = exceptval = nonecheck = _configured
