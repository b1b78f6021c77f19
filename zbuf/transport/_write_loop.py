"""The write loop: performs what the outbound queue plans, and reports back how many bytes went.

Owns    the budget of one wake-up, the flags of a send, one guard against re-entry.
Never   what is sent and in which order (the queue's business), interest in readiness, closing.
Always  one system call for a batch; a short write or a full socket ends the wake-up; `run` inside `run` does nothing,
        because the outer one goes on until the queue names nothing more (`outbound` calls promises, and their owners
        may write and flush; see `OutboundQueue.sent`).
"""

from typing import TYPE_CHECKING, cast

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import SEND, SENDMSG
    from zbuf.transport._calls import ZB_AGAIN, ZB_MORE
from zbuf.audit._meter import Account
from zbuf.errors import FileTruncatedError
from zbuf.outbound._plan import InlineFile, Nothing, OpenFile, SendBuffers, SendFile
from zbuf.outbound._queue import OutboundQueue
from zbuf.transport._calls import Calls
from zbuf.transport._send_file import FileSender, broken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zbuf._types import Buffer
    from zbuf.transport._options import ChannelOptions

__all__ = ["BLOCKED", "BROKEN", "BUSY", "DONE", "UNFINISHED", "WriteLoop"]

if not cython.compiled:  # compiled: an enumeration of the .pxd
    DONE = 0  # everything flushed is in the kernel
    BLOCKED = 1  # the socket takes no more for now
    UNFINISHED = 2  # the budget is used up
    BROKEN = 3  # the channel cannot go on: `failure` says why
    BUSY = 4  # called from inside: the outer run will do it


class WriteLoop:
    """Sends what is flushed, within the budget of one wake-up."""

    def __init__(
        self, calls: Calls, queue: OutboundQueue, account: Account, files: FileSender, options: "ChannelOptions"
    ) -> None:
        self._calls = calls
        self._queue = queue
        self._account = account
        self._files = files
        self.budget = options.writes_per_wakeup
        self.file_budget = options.file_bytes_per_wakeup
        self.is_running = False
        self.failure: BaseException | None = None
        self._is_corked = False
        self._file_budget_left = 0
        self._region_failure_closes = options.region_failure_closes

    def run(self) -> int:
        """Send until the queue names nothing, the socket is full or the budget is spent; return the outcome."""
        if self.is_running:
            return BUSY
        self.is_running = True
        try:
            return self._run()
        finally:
            self.is_running = False

    def _run(self) -> int:
        budget = self.budget
        self._file_budget_left = self.file_budget
        while budget:
            plan = self._queue.next_write()
            if type(plan) is SendBuffers:
                buffers = plan
                offered = buffers.nbytes
                n = self._send(buffers)
                if n < 0:
                    return BLOCKED if n == ZB_AGAIN else self._fail(n, buffers.views)
                self._queue.sent(n)
                if n < offered:
                    return BLOCKED
                budget -= 1
            elif type(plan) is Nothing:
                if self._is_corked:
                    self._uncork()
                return DONE
            elif type(plan) is SendFile:
                outcome = self._send_file(plan)
                if outcome != DONE:
                    return outcome
                budget -= 1
            elif not self._prepare_file(plan):
                return BROKEN
        return UNFINISHED

    def _send(self, plan: SendBuffers) -> int:
        """One system call for all that the plan names; what comes back is its result."""
        flags = ZB_MORE if plan.more else 0
        views = plan.views
        if len(views) == 1:
            n = self._calls.send(views[0], flags)
            if n > 0:
                self._account.called(SEND, n, 1)
        elif views:
            n = self._calls.sendmsg(views, flags)
            if n > 0:
                self._account.called(SENDMSG, n, len(views))
        else:
            return 0
        if n > 0:
            self._account.sent(n)
            self._is_corked = plan.more
        return n

    def _fail(self, number: int, views: "Sequence[Buffer]") -> int:
        self.failure = broken(-number, views)
        return BROKEN

    # Regions. What is wrong with a file concerns its own entry as long as nothing of it was sent.

    def _send_file(self, plan: SendFile) -> int:
        region = plan.region
        count = min(plan.count, self._file_budget_left)
        if count == 0:
            return UNFINISHED
        try:
            n = self._files.send(region, plan.offset, count)
        except FileTruncatedError as exc:
            self.failure = exc
            self._queue.fail(exc)
            return BROKEN
        except OSError as exc:
            if region.transferred or self._region_failure_closes:
                self.failure = exc
                return BROKEN
            self._queue.fail_entry(exc)
            return DONE
        if n == ZB_AGAIN:
            return BLOCKED
        if n < 0:
            self.failure = broken(-n)
            self.failure.add_note(f"{region.transferred} of {region.count} bytes of the file were sent")
            return BROKEN
        self._is_corked = False
        self._file_budget_left -= n
        self._account.sent(n)
        self._queue.sent(n)
        # A short count means a full socket. Asking again at once would move a few pages at a time; the kernel says
        # when a third of the send buffer is free, and then one call moves much.
        return DONE if n == count else BLOCKED

    def _prepare_file(self, plan: object) -> bool:
        """Open a region, or read a small one to where its bytes leave together with those before it.

        Returns: whether the channel can go on.
        """
        try:
            if type(plan) is OpenFile:
                plan.region.fileno()
                self._queue.opened()
                return True
            small = cast(InlineFile, plan)
            try:
                n = small.region.read_into(small.buf, small.region.remaining)
            except FileTruncatedError:
                pass  # the queue sees that nothing came: the region goes the ordinary way, which sends what exists
            else:
                self._account.moved("pread", n)
            self._queue.inlined()
        except OSError as exc:
            if self._region_failure_closes:
                self.failure = exc
                return False
            self._queue.fail_entry(exc)
        return True

    def _uncork(self) -> None:
        """Nothing followed what was sent with MSG_MORE: push it, or it leaves 200 ms later."""
        self._is_corked = False
        self._calls.push()
