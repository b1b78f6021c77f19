"""Who watches the descriptors of a loop: one epoll set for all of them where there is epoll, else the loop itself.

Owns    the set, who is in it, and the list of those who asked for a turn of their own.
Never   a socket call, a channel, a message. It is told descriptors and tells that they are ready.
Always  a descriptor leaves the set before it is closed; an event collected for one member never reaches another that
        got the same number since; one member's exception does not keep the others from their events.

On Linux the loop watches a single descriptor, the epoll set, level-triggered: a burst of ready connections costs one
callback, not one each, and the loop never sees a descriptor number that is closed and used again.
"""

import errno
import logging
import os
import select
import threading
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Callable

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

from zbuf.errors import UsageError
from zbuf.transport._calls import compiled_only

__all__ = ["ERROR", "HANGUP", "READ", "WRITE", "Callback", "EpollPoller", "LoopPoller", "Poller", "Watched"]

logger = logging.getLogger("zbuf.transport")

if not cython.compiled:  # compiled: an enumeration of the .pxd
    READ = 0x001  # the values of EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP: an event needs no translation
    WRITE = 0x004
    ERROR = 0x008
    HANGUP = 0x010
    SILENT = 0x800  # interest of a member that does not even want to hear of errors; no event of epoll

EVENTS_PER_WAKEUP = 256  # ours; what is left over is first in line at the next turn of the loop
# First some channels receive, then they send: the code of either half, ours and the kernel's, stays in the cache. An
# echo over 64 connections took 6.3 us a message so, 7.1 one by one (3.12, compiled); more than 32 gain nothing, and
# the first reply waits for the handlers of all.
FLUSHES_TOGETHER = 32

if not cython.compiled:
    thread_ident = threading.get_ident
    zb_epoll_wait = zb_event_fd = zb_event_mask = compiled_only  # compiled: C functions of the .pxd


class Watched:
    """Something with a descriptor that a poller watches.

    `ready(events)` is called when one of `interest` is there, or an error or a hang-up whatever the interest is;
    `turn()` once after `Poller.later`.
    """

    def __init__(self) -> None:
        self.fd = -1
        self.interest = SILENT
        self.is_due = False
        self._born = 0

    def ready(self, events: int) -> None:
        """Handle `events`, a combination of READ, WRITE, ERROR and HANGUP."""
        raise NotImplementedError

    def turn(self) -> None:
        """Do what was put off."""
        raise NotImplementedError

    def _broken(self, exc: Exception) -> None:
        """Take an exception that escaped from `ready` or `turn`: a mistake of zbuf, or of what it called."""
        logger.error("an event of descriptor %d failed", self.fd, exc_info=exc)


class Callback(Watched):
    """A member that hands its events to a function: listeners, for whom speed does not matter."""

    def __init__(self, on_ready: Callable[[int], None]) -> None:
        super().__init__()
        self._on_ready = on_ready

    def ready(self, events: int) -> None:
        """Hand the events on."""
        self._on_ready(events)


class Poller:
    """What both kinds have in common: the list of members that asked for a turn.

    A member that calls `later` gets its `turn()` at the end of the events being handled, or else at the next turn of
    the loop: one callback for all, however many asked.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.thread: int = thread_ident()
        self.is_closed: bool = False
        self.is_forked = False
        self.members = 0
        self.is_dispatching: bool = False
        self._due: list[Watched] = []
        self._turn_is_scheduled = False

    def is_foreign(self) -> bool:
        """Whether the caller is another thread, or a forked child."""
        return self.is_forked or thread_ident() != self.thread

    def check(self) -> None:
        """Raise UsageError where this poller must not be used: another thread, a forked child, a closed loop."""
        if self.is_forked:
            raise UsageError("the channel belongs to the process that forked this one")
        if thread_ident() != self.thread:
            raise UsageError("the channel belongs to the thread of its event loop; use loop.call_soon_threadsafe")
        if self.loop.is_closed():
            raise UsageError("the event loop of the channel is closed")

    def add(self, watched: Watched, fd: int, interest: int) -> None:
        """Watch the descriptor `fd` for `watched`. Raises: OSError (no room for another descriptor)."""
        raise NotImplementedError

    def change(self, watched: Watched, interest: int) -> None:
        """Watch for something else; SILENT: for nothing, errors included."""
        raise NotImplementedError

    def remove(self, watched: Watched) -> bool:
        """Stop watching, before the descriptor is closed. Returns False when the number has changed hands."""
        raise NotImplementedError

    def later(self, watched: Watched) -> None:
        """Give `watched` its `turn()` soon, once. Raises: RuntimeError (the loop is closed)."""
        if not watched.is_due:
            if not self.is_dispatching and not self._turn_is_scheduled:
                self.loop.call_soon(self._on_turn)
                self._turn_is_scheduled = True
            watched.is_due = True
            self._due.append(watched)

    def _on_turn(self) -> None:
        self._turn_is_scheduled = False
        if self.is_forked or self.is_dispatching:
            return
        self.is_dispatching = True
        try:
            self._take_turns()
        finally:
            self._end_of_dispatch()

    def _take_turns(self) -> None:
        """Give their turn to those who asked so far; who asks meanwhile has to wait for the loop's next turn."""
        due = self._due
        self._due = []
        done = 0
        try:
            for watched in due:
                done += 1
                watched.is_due = False
                try:
                    watched.turn()
                except Exception as exc:
                    watched._broken(exc)
        finally:
            if done < len(due):  # KeyboardInterrupt and its like: nobody loses a turn by it
                self._due = due[done:] + self._due

    def _wake(self, watched: Watched, events: int) -> None:
        try:
            watched.ready(events)
        except Exception as exc:
            watched._broken(exc)

    def _hand_out(self, watched: Watched, events: int) -> None:
        """Handle `events` of one member, and the turns that come of it."""
        if not self.is_dispatching:
            self.is_dispatching = True
            try:
                self._wake(watched, events)
                if self._due:
                    self._take_turns()
            finally:
                self._end_of_dispatch()

    def _end_of_dispatch(self) -> None:
        self.is_dispatching = False
        if self._due and not self._turn_is_scheduled and not self.loop.is_closed():
            self.loop.call_soon(self._on_turn)
            self._turn_is_scheduled = True
        if self.members == 0 and not self._due:
            self.close()

    def close(self) -> None:
        """Give up: no member is left, or the process is a forked child."""
        self.is_closed = True


class EpollPoller(Poller):
    """One epoll set, which the loop watches as a single descriptor."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self._set = select.epoll()
        self._set_fd = self._set.fileno()
        self._table: dict[int, Watched] = {}
        self._dispatch_number = 0
        try:
            loop.add_reader(self._set_fd, self._on_ready)
        except BaseException:
            self._set.close()
            raise

    def add(self, watched: Watched, fd: int, interest: int) -> None:
        """Watch the descriptor `fd` for `watched`. Raises: OSError."""
        self._set.register(fd, interest)
        watched.fd = fd
        watched.interest = interest
        watched._born = self._dispatch_number
        self._table[fd] = watched
        self.members += 1

    def change(self, watched: Watched, interest: int) -> None:
        """Watch for something else; SILENT: for nothing, errors included. Raises: OSError (not our descriptor)."""
        if interest == watched.interest:
            return
        if interest == SILENT:
            self._set.unregister(watched.fd)
        elif watched.interest == SILENT:
            self._set.register(watched.fd, interest)
        else:
            self._set.modify(watched.fd, interest)
        watched.interest = interest

    def remove(self, watched: Watched) -> bool:
        """Stop watching, before the descriptor is closed. Returns False when the number has changed hands."""
        if self._table.get(watched.fd) is not watched:
            return True
        del self._table[watched.fd]
        self.members -= 1
        ours = True
        if watched.interest != SILENT and not self.is_closed:
            try:
                self._set.unregister(watched.fd)
            except OSError:  # not open, not in the set, or no socket at all: it is another file by now
                ours = False
        watched.interest = SILENT
        if self.members == 0 and not self.is_dispatching and not self._due:
            self.close()
        return ours

    def _on_ready(self) -> None:
        """Hand out what is ready. The only callback that the loop knows."""
        if self.is_dispatching or self.is_closed:
            return
        self.is_dispatching = True
        try:
            self._hand_out_all()
        finally:
            self._end_of_dispatch()

    def _hand_out_all(self) -> None:
        """Hand out what is ready now, and the turns that come of it.

        Once: asking the set again before the loop's next turn made batches smaller and an echo 4 % dearer."""
        self._dispatch_number += 1
        if cython.compiled:
            count = zb_epoll_wait(self._set_fd, self._events, EVENTS_PER_WAKEUP)  # type: ignore[attr-defined]  # in C
            if count < 0 and count != -errno.EINTR:
                raise OSError(-count, os.strerror(-count))
            for at in range(count):
                self._deliver(zb_event_fd(self._events, at), zb_event_mask(self._events, at))  # type: ignore[attr-defined]  # in C
                if len(self._due) >= FLUSHES_TOGETHER:
                    self._take_turns()
        else:
            for fd, mask in self._set.poll(0, EVENTS_PER_WAKEUP):
                self._deliver(fd, mask)
                if len(self._due) >= FLUSHES_TOGETHER:
                    self._take_turns()
        if self._due:
            self._take_turns()

    def _deliver(self, fd: int, mask: int) -> None:
        watched = self._table.get(fd)
        # Who came in during this very dispatch has no event in it: the number was another member's.
        if watched is not None and watched._born != self._dispatch_number:
            self._wake(watched, mask)

    def close(self) -> None:
        """Close the set and leave the loop alone."""
        if self.is_closed:
            return
        self.is_closed = True
        if not self.is_forked and not self.loop.is_closed():
            self.loop.remove_reader(self._set_fd)
        self._set.close()


class LoopPoller(Poller):
    """The loop watches each descriptor itself: for systems without epoll, and to compare with."""

    def add(self, watched: Watched, fd: int, interest: int) -> None:
        """Watch the descriptor `fd` for `watched`. Raises: OSError."""
        watched.fd = fd
        watched.interest = 0
        self.members += 1
        try:
            self.change(watched, interest)
        except BaseException:
            self.members -= 1
            raise

    def change(self, watched: Watched, interest: int) -> None:
        """Watch for something else. A loop tells errors only to those who read or write."""
        before = watched.interest
        after = interest
        fd = watched.fd
        if (before ^ after) & READ:
            if after & READ:
                self.loop.add_reader(fd, self._on_ready, watched, READ)
            else:
                self.loop.remove_reader(fd)
        if (before ^ after) & WRITE:
            if after & WRITE:
                self.loop.add_writer(fd, self._on_ready, watched, WRITE)
            else:
                self.loop.remove_writer(fd)
        watched.interest = interest

    def remove(self, watched: Watched) -> bool:
        """Stop watching, before the descriptor is closed."""
        if watched.fd < 0:
            return True
        if not self.is_forked and not self.loop.is_closed():
            self.change(watched, SILENT)
        watched.fd = -1
        watched.interest = SILENT
        self.members -= 1
        if self.members == 0 and not self.is_dispatching and not self._due:
            self.close()
        return True

    def _on_ready(self, watched: Watched, events: int) -> None:
        if watched.interest != SILENT and watched.interest & events:
            self._hand_out(watched, events)


_pollers: "weakref.WeakValueDictionary[int, Poller]" = weakref.WeakValueDictionary()
_watches_forks = False


def poller_for(loop: AbstractEventLoop) -> Poller:
    """Return the poller of `loop`, made at first need; members keep it alive. Raises: UsageError.

    ZBUF_POLLER=loop asks for one callback per descriptor where an epoll set could be had.
    """
    global _watches_forks
    poller = _pollers.get(id(loop))
    if poller is not None and poller.loop is loop and not poller.is_closed and not poller.is_forked:
        return poller
    if not _watches_forks and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_drop_all)
        _watches_forks = True
    one_each = os.environ.get("ZBUF_POLLER") == "loop" or not hasattr(select, "epoll")
    try:
        poller = LoopPoller(loop) if one_each else EpollPoller(loop)
    except NotImplementedError as exc:
        raise UsageError(f"{type(loop).__name__} cannot watch descriptors: use a selector loop or uvloop") from exc
    _pollers[id(loop)] = poller
    return poller


def _drop_all() -> None:
    """In a forked child: the sets are the parent's, and taking something out here would take it out there."""
    for poller in list(_pollers.values()):
        poller.is_forked = True
        poller.close()
