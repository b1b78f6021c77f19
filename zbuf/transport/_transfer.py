"""Transfers: what a channel receives goes into a file, or into another channel, and never into the process.

Owns    `receive_into` and `splice_to`: the loops that stand in for the ordinary ones, who waits, how it ends.
Never   how a byte moves (`_splice_loop.py`).
Always  one transfer of a channel at a time; whatever ends it puts the ordinary loops back and closes the pipes; bytes
        that were taken and cannot be delivered cost the channel, because its framing is lost with them.
"""

from asyncio import Future
from collections.abc import Iterator
from typing import Any

from zbuf.buffer import ByteBuf
from zbuf.errors import ChannelClosedError, UsageError
from zbuf.region import HasFileno
from zbuf.transport._core import CLOSED, CLOSING, HOLD_ENDED, HOLD_INBOX, HOLD_RELAY, HOLD_REQUEST, OPEN
from zbuf.transport._life import ChannelLife
from zbuf.transport._poller import READ, WRITE
from zbuf.transport._splice_loop import FileTarget, SocketTarget, SpliceLoop
from zbuf.transport._write_loop import BLOCKED, BROKEN, WriteLoop

__all__ = ["ChannelTransfers"]


class ChannelTransfers(ChannelLife):
    """A channel whose input can be led past the process."""

    __slots__ = ("_relay", "_transfer")

    _transfer: "Transfer | None"
    _relay: "Relay | None"

    async def receive_into(self, file: int | HasFileno, count: int | None = None, *, offset: int | None = None) -> int:
        """Receive `count` bytes, by default all until the input ends, into a file, and return how many came.

        The bytes go from the socket through a pipe into the file (`splice`) and never enter the process; where the
        kernel refuses that they are received and written, billed as FALLBACK_READ. `offset`: where in the file;
        without it where its position is, which moves (a file opened with O_APPEND: its end).
        Buffers that wait to be taken by `receive()` are the first of them. What a decoder in the pipeline still holds
        is not among them: take that out before (`leftover()`). Messages come again when the transfer is over.
        Returns: fewer than `count` where the input ends first. Ownership: borrows the file. Cancelling stops it; what
        was received is in the file.
        Raises: UsageError while another transfer goes on; ValueError; ChannelClosedError; OSError of the file (disk
        full, ...): bytes are lost then, and the channel fails with it."""
        if (count is not None and count < 0) or (offset is not None and offset < 0):
            raise ValueError(f"count and offset must not be negative: {count}, {offset}")
        target = FileTarget(file if isinstance(file, int) else file.fileno(), offset)
        self._check_transfer()
        self._hold(HOLD_RELAY)
        try:
            early = 0
            for piece in self._waiting(count):
                early += piece.readable_bytes
                with piece:
                    for view in piece.readable_views():
                        target.put_bytes(view)
            if early == count or self._has_ended():
                return early
            transfer = Transfer(self, target, None if count is None else count - early, None, None)
        finally:
            self._let_read(HOLD_RELAY)
        return early + await transfer.wait()

    async def splice_to(
        self, other: "ChannelTransfers", length: int | None = None, *, tap: int | HasFileno | None = None
    ) -> int:
        """Relay `length` bytes, by default all until the input ends, to another channel, and return how many.

        The bytes go from socket to pipe to socket and never enter the process; this channel is not read while the
        other one is full. `tap`: a file that gets a copy of every byte, made in the kernel (`tee`). What `other` had
        queued leaves first; what is written to it meanwhile goes between two pieces. The end of the input is not
        passed on: call `other.shutdown_output()`. Two channels may be relayed to each other, by one call for each
        direction. Returns: fewer than `length` where the input ends first.
        Raises: UsageError while another transfer goes on from this channel or to the other; ValueError;
        ChannelClosedError when either channel fails; OSError of the tap. Bytes may be lost then, or when it is
        cancelled; if they are, both channels are closed."""
        if length is not None and length < 0:
            raise ValueError(f"length must not be negative: {length}")
        if other is self:
            raise UsageError("a channel cannot be relayed to itself")
        tap_fd = tap if tap is None or isinstance(tap, int) else tap.fileno()
        self._check_transfer()
        self._hold(HOLD_RELAY)
        relay = None
        early = 0
        try:
            for piece in self._waiting(length):
                early += piece.readable_bytes
                if tap_fd is not None:
                    for view in piece.readable_views():
                        FileTarget(tap_fd, None).put_bytes(view)
                other.pipeline.write(piece)
            if other._state == OPEN:
                await other._until_flushed()
            self._check_transfer()
            other._check_relay()
            if early == length or self._has_ended():
                return early
            relay = Relay(self, other)
            transfer = Transfer(self, relay.target, None if length is None else length - early, tap_fd, relay)
        except BaseException:
            if relay is not None:
                relay.stop()
            raise
        finally:
            self._let_read(HOLD_RELAY)
        return early + await transfer.wait()

    # Inside.

    def _check_transfer(self) -> None:
        """Raise what forbids a transfer to begin."""
        self._check()
        if self._transfer is not None:
            raise UsageError("a transfer of this channel is going on")
        if self._state != OPEN:
            raise self._closed_error()

    def _check_relay(self) -> None:
        """Raise what forbids that another channel is relayed to this one."""
        if self._state != OPEN:
            raise self._closed_error()
        if self._relay is not None:
            raise UsageError("another channel is being relayed to that one")

    def _has_ended(self) -> bool:
        """Whether the input had ended before the transfer began: what waited was all there is."""
        if not self._held & HOLD_ENDED or (self._inbox is not None and self._inbox.count):
            return False
        self._inbox_is_consumed()
        return True

    def _waiting(self, count: int | None) -> Iterator[ByteBuf]:
        """Yield what was received before and nobody has taken yet, at most `count` bytes. Ownership: transfers.

        Raises: UsageError for a message that is no buffer: it cannot be turned back into the bytes it came in."""
        inbox = self._inbox
        left = count
        while inbox is not None and inbox.count and left != 0:
            first = inbox.peek()
            if not isinstance(first, ByteBuf):
                raise UsageError(f"a message of type {type(first).__name__} waits to be received: take it first")
            if left is not None and first.readable_bytes > left:
                yield first.read_slice(left)
                return
            if left is not None:
                left -= first.readable_bytes
            yield inbox.take()

    def _wait_for_room(self) -> None:
        """The socket takes no more for now: hear of it when it does."""
        if not self.interest & WRITE and self._state != CLOSED:
            self._poller.change(self, (self.interest & READ) | WRITE)

    def _tell_closed(self) -> None:
        if self._transfer is not None:
            self._transfer.channel_closed()
        if self._relay is not None:
            self._relay.other_closed()
        super()._tell_closed()


class Relay:
    """The far end of a relay: the channel that is written to, and the loop that stands in for its own."""

    def __init__(self, source: ChannelTransfers, other: ChannelTransfers) -> None:
        self._source = source
        self.other = other
        self.target = SocketTarget(other._calls, other._account, self._blocked)
        self._before: WriteLoop = other._writer
        self._loop = RelayLoop(self.target, self._before, self._goes_on)
        self.transfer: Transfer | None = None
        other._relay = self
        other._writer = self._loop

    def _blocked(self) -> None:
        self._source._hold(HOLD_RELAY)
        self.other._wait_for_room()

    def _goes_on(self) -> None:
        if self._source._held & HOLD_RELAY:
            self._source._let_read(HOLD_RELAY)

    def other_closed(self) -> None:
        """The channel that is written to has ended."""
        if self.transfer is not None:
            self.transfer.failed(self.other._closed_error())

    def stop(self) -> None:
        """Put the ordinary loop back. Again: no-op."""
        if self.other._relay is self:
            self.other._relay = None
            self.other._writer = self._before


class RelayLoop(WriteLoop):
    """Sends what a relay could not get rid of, then what the ordinary loop has."""

    def __init__(self, target: SocketTarget, before: WriteLoop, goes_on: Any) -> None:
        self._target = target
        self._before = before
        self._goes_on = goes_on
        self.failure = None
        self.is_running = False

    def run(self) -> int:
        """Send; the outcome is that of the ordinary loop, or BLOCKED while the relay still waits."""
        try:
            self._target.push()
        except OSError as exc:
            self.failure = exc
            return BROKEN
        if self._target.is_blocked:
            return BLOCKED
        self._goes_on()
        outcome = self._before.run()
        self.failure = self._before.failure
        return outcome


class Transfer:
    """One transfer of a channel: puts its loop in, and the ordinary one back."""

    def __init__(
        self,
        channel: ChannelTransfers,
        target: FileTarget | SocketTarget,
        count: int | None,
        tap: int | None,
        relay: Relay | None,
    ) -> None:
        self._channel = channel
        self._relay = relay
        self._future: Future[int] = channel.loop.create_future()
        self._loop = SpliceLoop(channel, target, count, tap, self._ended)
        self._before = channel._reader
        self._auto_read = channel._auto_read
        if relay is not None:
            relay.transfer = self
        channel._transfer = self
        channel._reader = self._loop
        channel._auto_read = True
        channel._let_read(HOLD_REQUEST | HOLD_INBOX)

    async def wait(self) -> int:
        """Wait for the end, and see to it that everything is as before."""
        try:
            return await self._future
        finally:
            self._stop()

    def _ended(self, exc: BaseException | None) -> None:
        """The loop has come to its end: with nothing left to move, or with an exception of the target."""
        if exc is None:
            if not self._future.done():
                self._future.set_result(self._loop.moved)
            self._stop()
        elif self._relay is not None and not self._loop.is_tap_at_fault:
            self._relay.other._fail(exc)  # which comes back as other_closed, at the end of its event
            self.failed(self._relay.other._closed_error())
        else:
            self.failed(exc)

    def failed(self, exc: BaseException) -> None:
        """Give up: what was taken from the socket is lost."""
        if not self._future.done():
            self._future.set_exception(exc)
        channel = self._channel
        self._stop()
        if channel._state in (OPEN, CLOSING):
            channel._fail(exc)

    def channel_closed(self) -> None:
        """The channel itself has ended before the transfer did."""
        if not self._future.done():
            self._future.set_exception(self._channel._closed_error())
        self._stop()

    def _stop(self) -> None:
        """Put the ordinary loop back, and close the pipe. Again: no-op."""
        channel = self._channel
        if channel._transfer is not self:
            return
        channel._transfer = None
        channel._reader = self._before
        self._before.has_received = False
        self._before.is_held = True
        lost = self._loop.close()
        if self._relay is not None:
            self._relay.stop()
        if channel._state not in (OPEN, CLOSING):
            return
        channel._auto_read = self._auto_read
        if not self._auto_read:
            channel._hold(HOLD_REQUEST)
        if channel._inbox is not None and channel._inbox.is_full:
            channel._hold(HOLD_INBOX)
        channel._let_read(HOLD_RELAY)
        if lost and not self._future_failed():
            self._give_up(lost)

    def _future_failed(self) -> bool:
        return self._future.done() and not self._future.cancelled() and self._future.exception() is not None

    def _give_up(self, lost: int) -> None:
        """Cancelled in the midst of a relay: a piece was taken and cannot be delivered any more."""
        error = ChannelClosedError(f"{lost} bytes of a relay that was cancelled are lost")
        self._channel._fail(error)
        if self._relay is not None and self._relay.other._state in (OPEN, CLOSING):
            self._relay.other._fail(error)
