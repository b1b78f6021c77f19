"""Running coroutines on the loops that zbuf supports.

Owns    the list of loops and how one is made.
Never   a test's subject.
Always  a fresh loop for each call of run(); what the loop reports as an error fails the test (see conftest).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment]  # tests that need it skip and say so

T = TypeVar("T")

KINDS = ("stock", "uvloop")


def is_there(kind: str) -> bool:
    """Say whether a loop of this kind can be made here."""
    return kind == "stock" or uvloop is not None


def new_loop(kind: str) -> asyncio.AbstractEventLoop:
    """Make a loop of this kind."""
    if kind == "stock":
        return asyncio.SelectorEventLoop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def warm_up() -> None:
    """Make one loop of each kind: the first uvloop opens a pipe that libuv keeps for the life of the process."""
    for kind in KINDS:
        if is_there(kind):
            new_loop(kind).close()


def run(coro: Coroutine[Any, Any, T], kind: str = "stock", *, timeout: float = 30.0) -> T:
    """Run a coroutine to its end on a fresh loop; one that hangs raises TimeoutError instead of holding up the run."""

    async def bounded() -> T:
        return await asyncio.wait_for(coro, timeout)

    with asyncio.Runner(loop_factory=lambda: new_loop(kind)) as runner:
        return runner.run(bounded())
