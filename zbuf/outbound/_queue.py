"""The ordered outbound queue.

Owns    entries, the flush mark, the counts of pending bytes, the watermarks, the hard caps, and who is told what.
Never   a socket, a descriptor, a handler, the event loop.
Always  pending == what all entries still have to send, and 96 for each message; nothing behind the flush mark is sent;
        every message that was taken is released once and every promise told once, in the order of the queue.

Re-entrancy, relied on by the write loop of `transport`: promises and `on_writability` are called last, when the queue
is whole again, and one after the other: what a callback causes (it may add, flush, send, fail) is appended to the
notices that the outermost call is delivering. So the stack stays flat however long the chain is.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.outbound._entry import EMPTY, FILE, JOINED, PIECE, UNKNOWN, make_entry, snapshot
    from zbuf.outbound._pending import OVERHEAD, _limit_reached
    from zbuf.outbound._planner import MAX_IOVECS, NO_LIMIT
from collections.abc import Callable

from zbuf._types import Buffer, WritePromise
from zbuf.buffer import Allocator
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._composite import CompositeByteBuf
from zbuf.outbound._entry import Entry
from zbuf.outbound._plan import Plan
from zbuf.outbound._planner import Planner
from zbuf.region import FileRegion

__all__ = ["OutboundQueue"]

COMPACT_FROM = 512  # arbitrary: spent places at the front of the list that are worth moving the rest for


class OutboundQueue(Planner):
    """Buffers and regions in order, what of them may be sent, and the next call that sends it.

    `low_water`, `high_water`: not writable above high, writable again below low (or when empty). `file_high_water`: the
    same for bytes of regions, writable again at half of it; None: regions do not count. `coalesce_below`: smaller parts
    are joined; `small_file_below`: smaller regions are read. `write_limit_*`: hard caps for producers that do not wait;
    a message that finds the queue at or below its high mark (and half the cap) is taken whatever its size, so a
    producer that waits never meets them. `on_writability()`: called once for each change of `is_writable`.
    Ownership: add() transfers; what is not sent is released by fail().
    Raises: ValueError on negative numbers or low > high.
    Source: Netty ChannelOutboundBuffer; regions are visible here.
    """

    __slots__ = ()

    def __init__(
        self,
        allocator: Allocator,
        *,
        low_water: int = 32 * 1024,
        high_water: int = 64 * 1024,
        file_high_water: int | None = None,
        coalesce_below: int = 2048,
        small_file_below: int = 32 * 1024,
        write_limit_bytes: int = 16 * 1024 * 1024,
        write_limit_entries: int = 65_536,
        write_limit_regions: int = 1024,
        on_writability: Callable[[], object] | None = None,
    ) -> None:
        if coalesce_below < 0 or small_file_below < 0:
            raise ValueError(f"a threshold must not be negative: {coalesce_below}, {small_file_below}")
        self._set_marks(low_water, high_water, file_high_water)
        self._set_caps(write_limit_bytes, write_limit_entries, write_limit_regions)
        self._begin(allocator, coalesce_below, small_file_below)
        self.on_writability = on_writability

    @property
    def is_empty(self) -> bool:
        """Whether nothing is queued."""
        return self._head == len(self._entries)

    @property
    def has_flushed(self) -> bool:
        """Whether something may be sent, or completes without being sent."""
        return self._head < self._flushed

    # Taking messages.

    def add(self, msg: ByteBuf | FileRegion | Buffer, promise: WritePromise | None = None) -> None:
        """Queue a message behind all others; it is sent after the next flush().

        Ownership: transfers, also when it raises. A buffer's or region's handle is moved; bytes go by reference; other
        bytes-like objects are copied first (billed as SNAPSHOT).
        Raises: UnsupportedMessageError, WriteLimitError, ChannelClosedError after fail(), ReferenceCountError for a
        released handle, BufferError for a strided object; then the message is released and `promise` untouched."""
        if isinstance(msg, ByteBuf):
            taken: ByteBuf = msg  # typed, so that the move is a C call
            buf: ByteBuf = taken.move()
            size = buf._writer - buf._reader
            if not self._has_room(size):
                self._check_room(size, buf)
            if isinstance(buf, CompositeByteBuf):
                self._add_composite(buf, size, promise)
            elif size:
                self._append(make_entry(PIECE, buf, None, size, promise))
            else:
                buf.release()
                self._append(make_entry(EMPTY, None, None, 0, promise))
        elif type(msg) is bytes:
            self._add_bytes(msg, promise)
        elif isinstance(msg, FileRegion):
            self._add_region(msg.move(), promise)
        else:
            self._add_bytes(snapshot(msg), promise)

    def add_marker(self, promise: WritePromise) -> None:
        """Queue nothing but a promise: it succeeds when everything added before it is in the kernel.

        It needs a flush() like any message, costs no pending bytes and ignores the hard caps.
        Raises: ChannelClosedError after fail(), `promise` untouched."""
        if self._failure is not None:
            self._check_room(0, None)
        self._entries.append(make_entry(EMPTY, None, None, 0, promise))

    def _add_bytes(self, data: bytes, promise: WritePromise | None) -> None:
        size = len(data)
        if not self._has_room(size):
            self._check_room(size, None)
        self._append(make_entry(PIECE if size else EMPTY, None, data, size, promise))

    def _append(self, entry: Entry) -> None:
        """Put the last entry of a message behind the others and count it."""
        entry.charge = OVERHEAD
        self._entries.append(entry)
        self._messages += 1
        self._pending += entry.size + OVERHEAD
        if self._pending > self._high and not self._is_high:
            self._rise()

    def _add_composite(self, composite: CompositeByteBuf, size: int, promise: WritePromise | None) -> None:
        """Queue each span of the readable bytes as a piece of its own; only the last one completes the message."""
        pieces = composite.decompose(composite._reader, size)
        composite.release()
        if not size:
            self._append(make_entry(EMPTY, None, None, 0, promise))
            return
        last: ByteBuf = pieces.pop()
        for piece in pieces:
            entry = make_entry(PIECE, piece, None, piece._writer, None)
            entry.is_part = True
            self._pending += entry.size
            self._entries.append(entry)
        self._append(make_entry(PIECE, last, None, last._writer, promise))

    def _add_region(self, region: FileRegion, promise: WritePromise | None) -> None:
        if not self._has_room(0):
            self._check_room(0, region)
        if self._regions >= self._region_limit:
            region.release()
            raise _limit_reached("write_limit_regions", self._region_limit, self._regions + 1)
        known = region.known_count
        size = UNKNOWN if known is None else known - region.transferred
        entry = make_entry(FILE if size else EMPTY, None, region, size, promise)
        if size:
            entry.is_file = True
            entry.is_unknown = known is None
            entry.is_open = known is not None and region.is_open
            self._regions += 1
            if known is not None:
                self._pending_file += size
        else:
            entry.other = None
            region.release()
        entry.charge = OVERHEAD
        self._entries.append(entry)
        self._messages += 1
        self._pending += OVERHEAD
        if not self._is_high and (self._pending > self._high or self._files_are_high()):
            self._rise()

    def _check_room(self, size: int, taken: ByteBuf | FileRegion | None) -> None:
        """Release what was taken and raise, if the message may not be queued."""
        error = self._refusal(size)
        if error is not None:
            if taken is not None:
                taken.release()
            raise error

    # Sending.

    def flush(self) -> None:
        """Make everything queued so far sendable, and no longer cancellable."""
        self._flushed = len(self._entries)

    def next_write(self, max_views: int = MAX_IOVECS, max_bytes: int | None = None) -> Plan:
        """Name the next call: SendBuffers, SendFile, OpenFile, InlineFile or NOTHING (see `zbuf.outbound._plan`).

        At most `max_views` views (never more than 1024) and `max_bytes` bytes. Called again before sent() with the same
        limits, it returns the same plan. Messages that have nothing to send complete here, in their turn.
        Raises: ValueError if a limit is below 1."""
        limit = NO_LIMIT if max_bytes is None else max_bytes
        views = max_views if max_views < MAX_IOVECS else MAX_IOVECS
        if views < 1 or limit < 1:
            raise ValueError(f"at least one view and one byte, not {max_views} and {max_bytes}")
        if self._plan is not None and self._limit_views == views and self._limit_bytes == limit:
            return self._plan
        while self._head < self._flushed:
            entry = self._entries[self._head]
            if entry.left:
                break
            self._complete(0)
        return self._make_plan(views, limit)

    def sent(self, n: int) -> None:
        """Note that the kernel took the next `n` bytes of what the last plan offered.

        Completes whole messages in order, also those that have nothing to send, and advances the one that went in part.
        Raises: ValueError if `n` is negative or more than was offered; nothing changes."""
        if n < 0 or n > self._offered:
            raise ValueError(f"{n} bytes reported, {self._offered} were offered")
        self._complete(n)

    def _complete(self, n: int) -> None:
        """Account for `n` sent bytes, then let go of what is done and tell its promises."""
        entries = self._entries
        start = at = self._head
        left = n
        moved = 0
        while at < self._flushed:
            entry = entries[at]
            if entry.left > left:
                break
            left -= entry.left
            moved += entry.charge
            if entry.charge:
                self._messages -= 1
            if entry.is_file:
                self._regions -= 1
                self._pending_file -= entry.left
            else:
                moved += entry.left
            entry.left = 0
            at += 1
        if at < self._flushed:
            entry = entries[at]
            if left:
                entry.left -= left
                moved += self._advance(entry, left)
            if entry.kind == JOINED:
                assert entry.buf is not None
                entry.buf._reader = entry.end - entry.left
        self._pending -= moved
        done = self._take_out(start, at)
        if self._is_high:
            self._fall()
        self._forget_plan()
        for entry in done:
            self._finish(entry)
        if self._notices:
            self._deliver()

    def _advance(self, entry: Entry, n: int) -> int:
        """Move the start of a partly sent entry by `n` and return how many of these are ordinary pending bytes."""
        if entry.kind == PIECE:
            if entry.buf is not None:
                entry.buf._reader += n
            else:
                entry.other = memoryview(entry.other)[n:]  # type: ignore[arg-type]  # bytes, or a view of them
        elif entry.kind == FILE:
            region = entry.other
            assert isinstance(region, FileRegion)
            region.advance(n)
        if entry.is_file:
            self._pending_file -= n
            return 0
        return n

    def _take_out(self, start: int, end: int) -> list[Entry]:
        """Take the entries [start, end), where `start` is the head, out of the queue and return them."""
        entries = self._entries
        if end == len(entries):
            self._entries = []
            self._head = self._flushed = 0
            return entries if start == 0 else entries[start:]
        done = entries[start:end]
        if end > COMPACT_FROM and 2 * end > len(entries):
            del entries[:end]
            self._head = 0
            self._flushed -= end
        else:
            for at in range(start, end):
                entries[at] = _SPENT
            self._head = end
        return done

    def _finish(self, entry: Entry) -> None:
        entry.let_go()
        if entry.promise is not None:
            self._notices.append((entry.promise, entry.error))
            entry.promise = None

    # The end.

    def cancel(self, promise: WritePromise) -> bool:
        """Withdraw the message that was queued with `promise`, if it is not flushed yet, and release it.

        The promise is not told. Return whether it was withdrawn. Cost: a look at each unflushed entry."""
        at = len(self._entries) - 1
        while at >= self._flushed:
            entry = self._entries[at]
            if entry.promise is promise:
                break
            at -= 1
        else:
            return False
        first = at
        while first > self._flushed:
            entry = self._entries[first - 1]
            if not entry.is_part:
                break
            first -= 1
        withdrawn = self._entries[first : at + 1]
        del self._entries[first : at + 1]
        for entry in withdrawn:
            self._pending -= entry.charge
            if entry.charge:
                self._messages -= 1
            if not entry.is_file:
                self._pending -= entry.left
            else:
                self._regions -= 1
                if not entry.is_unknown:
                    self._pending_file -= entry.left
        if self._is_high:
            self._fall()
        for entry in withdrawn:
            entry.let_go()
        if self._notices:
            self._deliver()
        return True

    def fail(self, exc: BaseException) -> None:
        """Give up everything, flushed or not: release every message, fail every promise with `exc`, in order.

        Final: from now on add() raises ChannelClosedError with the first `exc` as its cause. No writability event."""
        if self._failure is None:
            self._failure = exc
        entries, head = self._entries, self._head
        self._entries = []
        self._head = self._flushed = 0
        self._pending = self._messages = self._regions = 0
        self._pending_file = 0
        self._is_high = False
        self._forget_plan()
        for at in range(head, len(entries)):
            entry = entries[at]
            if entry.error is None:
                entry.error = exc
            self._finish(entry)
        if self._notices:
            self._deliver()

    def __repr__(self) -> str:
        state = "failed" if self._failure is not None else "writable" if self.is_writable else "not writable"
        waiting = f"{self._messages} messages, {self._pending} bytes and {self._pending_file} of files pending"
        return f"OutboundQueue({waiting}, {state})"

    def _check(self) -> None:
        """Assert what always holds; tests call this after every act."""
        assert 0 <= self._head <= self._flushed <= len(self._entries), (self._head, self._flushed, len(self._entries))
        pending = charges = filed = files = 0
        for at in range(self._head, len(self._entries)):
            entry = self._entries[at]
            state = (entry, entry.left, entry.size)
            assert 0 <= entry.left <= entry.size, state
            assert (entry.kind == FILE) == isinstance(entry.other, FileRegion), state
            if entry.kind == PIECE and entry.buf is not None:
                assert entry.buf.readable_bytes == entry.left > 0, state
            charges += entry.charge
            if entry.is_file:
                files += 1
                filed += 0 if entry.is_unknown else entry.left
            else:
                pending += entry.left
        counted = (self._pending, self._pending_file, self._messages * OVERHEAD, self._regions)
        assert counted == (pending + charges, filed, charges, files), (counted, pending, filed, charges, files)


_SPENT = make_entry(EMPTY, None, None, 0, None)  # keeps a place in the list that nobody looks at again
