"""The planner: which system call comes next.

Owns    the choice between copying and gathering, the scratch buffers, the iovec limit, when a region is opened, read
        or sent, and what the transport answers to the last three.
Never   a system call, a descriptor; the head of the queue is not moved here.
Always  no plan has an empty view, more than 1024 of them, or a byte behind the flush mark. Planning twice names the
        same bytes: what was joined stays joined, and is billed once.

The rule is "coalesce small, gather large" (docs/design.md): a run of two or more parts below `coalesce_below` bytes is
copied into one scratch buffer from the allocator; everything else goes by reference. Small parts directly before a
region that is read are joined into its buffer, so both leave in one send.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._bytebuf import fresh
    from zbuf.memory._memory import copy, put
    from zbuf.outbound._entry import EMPTY, FILE, JOINED, PIECE
    from zbuf.outbound._plan import send_buffers

from zbuf._form import EXPORTS_BUFFERS
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer import Allocator
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.errors import UsageError
from zbuf.memory._unpooled import Blocks
from zbuf.outbound._entry import Entry
from zbuf.outbound._pending import Pending
from zbuf.outbound._plan import NOTHING, InlineFile, OpenFile, Plan, SendFile
from zbuf.region import FileRegion

__all__ = ["Planner"]

MAX_IOVECS = 1024  # Linux UIO_MAXIOV: sendmsg with one more fails with EMSGSIZE
MAX_SENDFILE = 0x7FFFF000  # what Linux moves in one call at most
MAX_SCRATCH = 65536  # bytes joined in one scratch buffer: it should stay in the L2 cache; precedent receive_max
NO_LIMIT = 2**63 - 1

COALESCE = int(CopyReason.COALESCE)
DIRECT_EXPORT = EXPORTS_BUFFERS  # a handle itself can be given to send(): no memoryview is made


class Planner(Pending):
    """The entries between head and flush mark, and the next call for them."""

    __slots__ = (
        "_allocator",
        "_blocks",
        "_coalesce_below",
        "_dropped",
        "_entries",
        "_exports",
        "_flushed",
        "_head",
        "_limit_bytes",
        "_limit_views",
        "_named",
        "_offered",
        "_plan",
        "_run_end",
        "_small_file_below",
        "_spare",
    )

    def _begin(self, allocator: Allocator, coalesce_below: int, small_file_below: int) -> None:
        self._allocator = allocator
        self._blocks = allocator if isinstance(allocator, Blocks) else None  # one of ours: no Python call for a lease
        self._coalesce_below = coalesce_below
        self._small_file_below = small_file_below
        self._entries: list[Entry] = []
        self._head = 0
        self._flushed = 0  # the flush mark: entries [head, flushed) may be sent
        self._offered = 0
        self._plan: Plan | None = None
        self._limit_views = 0
        self._limit_bytes = 0
        self._exports: list[memoryview] | None = None  # views made for the plan, let go with it
        self._named: Entry | None = None  # the region that the plan is about
        self._spare: ByteBuf | None = None  # the buffer of an InlineFile, while no entry holds it
        self._run_end: Entry | None = None  # the last entry that was joined into that buffer
        self._dropped: list[ByteBuf] = []  # parts that were joined and are still to be released

    def _make_plan(self, max_views: int, max_bytes: int) -> Plan:
        """Plan the next call afresh. The first flushed entry, if there is one, has something to send."""
        while True:
            self._forget_plan()
            if self._head == self._flushed:
                return NOTHING
            plan = self._gather(max_views, max_bytes)
            self._plan = plan
            self._limit_views = max_views
            self._limit_bytes = max_bytes
            while self._dropped:
                self._dropped.pop().release()
            if self._plan is plan:
                return plan
            # Foreign code ran at the end of somebody's memory and changed the queue: what was planned is void.

    def _gather(self, max_views: int, max_bytes: int) -> Plan:
        """Collect views up to the limits, the first region or the flush mark."""
        views: list[Buffer] = []
        nbytes = 0
        more = False
        at = self._head
        while at < self._flushed:
            entry = self._entries[at]
            if entry.kind == EMPTY:
                at += 1
                continue
            if entry.kind == FILE:
                plan = self._name_file(at, at, max_bytes, nbytes == 0)
                if plan is not None:
                    return plan
                more = True
                break
            if len(views) == max_views or nbytes == max_bytes:
                break
            if entry.kind == PIECE and entry.left < self._coalesce_below:
                plan = self._join_run(at, max_bytes)
                if plan is not None:
                    return plan
            length = entry.left
            if entry.kind == JOINED:
                assert entry.buf is not None
                length = entry.buf._writer - entry.buf._reader
                last = entry
                while not last.is_last:
                    at += 1
                    last = self._entries[at]
            at += 1
            if length > max_bytes - nbytes:
                length = max_bytes - nbytes
                at = self._flushed  # nothing may follow a piece that was cut
            views.append(self._view_of(entry, length))
            nbytes += length
        self._offered = nbytes
        return send_buffers(views, nbytes, more)

    def _join_run(self, first: int, max_bytes: int) -> Plan | None:
        """Join the run of small parts that starts at `first`, if it is one; return what a region behind it needs."""
        total = 0
        found = 0
        at = first
        while at < self._flushed:
            entry = self._entries[at]
            if entry.kind == PIECE:
                if entry.left >= self._coalesce_below or entry.left > MAX_SCRATCH - total:
                    break
                total += entry.left
                found += 1
            elif entry.kind != EMPTY:
                break
            at += 1
        if at < self._flushed and entry.kind == FILE:
            plan = self._name_file(at, first, max_bytes, False)
            if plan is not None:
                return plan
        if found > 1:
            self._join(first, at, 0)
        return None

    def _join(self, first: int, end: int, room: int) -> None:
        """Copy the parts of entries [first, end) into one scratch buffer with `room` bytes more, and let them go."""
        total = 0
        for at in range(first, end):
            entry = self._entries[at]
            total += entry.left
        scratch = self._scratch(total + room)
        to = 0
        last = self._entries[first]
        for at in range(first, end):
            entry = self._entries[at]
            if entry.kind == EMPTY:
                continue
            source = entry.buf
            if source is None:
                put(scratch._base, scratch._shift + to, entry.other, 0, entry.left)  # type: ignore[arg-type]  # bytes
            else:
                copy(scratch._base, scratch._shift + to, source._base, source._shift + source._reader, entry.left)
                if source._memory.external:
                    self._dropped.append(source)  # its end may run foreign code: not before the plan stands
                else:
                    source.release()
            to += entry.left
            entry.kind = JOINED
            entry.buf = scratch
            entry.other = None
            entry.end = to
            last = entry
        scratch._writer = total
        last.is_last = True
        charge(COALESCE, total)

    def _scratch(self, size: int) -> ByteBuf:
        """Return an empty buffer of `size` bytes from the allocator."""
        if self._blocks is not None:
            return fresh(self._blocks.lease(size), size, size, self._allocator)
        return self._allocator.buffer(size, size)

    def _view_of(self, entry: Entry, length: int) -> Buffer:
        """Return the next `length` bytes of `entry` as something that a socket takes."""
        buf = entry.buf
        if buf is None:
            if length == entry.left:
                return entry.other  # type: ignore[return-value]  # bytes, or what is left of them
            view = memoryview(entry.other)[:length]  # type: ignore[arg-type]  # same
        elif DIRECT_EXPORT and length == buf._writer - buf._reader:
            return buf
        else:
            view = buf.view(buf._reader, length)
        if self._exports is None:
            self._exports = []
        self._exports.append(view)
        return view

    # Regions.

    def _name_file(self, at: int, first: int, max_bytes: int, is_next: bool) -> Plan | None:
        """Return what the region at `at` needs before anything else happens, or None: it is to be sent in its turn.

        `first`: where the run of small parts directly before it starts; `is_next`: nothing is planned before it."""
        entry = self._entries[at]
        region = entry.other
        assert isinstance(region, FileRegion)
        if not entry.is_open:
            self._named = entry
            return OpenFile(region)
        if entry.size < self._small_file_below and not entry.direct:
            self._named = entry
            return InlineFile(region, self._room_for(entry.left, first, at))
        if not is_next:
            return None
        self._named = entry
        count = min(entry.left, max_bytes, MAX_SENDFILE)
        self._offered = count
        return SendFile(region, region.offset + region.transferred, count)

    def _room_for(self, size: int, first: int, at: int) -> ByteBuf:
        """Return a buffer with `size` bytes of room for the region at `at`, behind the small parts before it."""
        if first < at:
            self._join(first, at, size)
        before = at - 1
        while before >= self._head:
            last = self._entries[before]
            if last.kind != EMPTY:
                scratch = last.buf
                if last.is_last and scratch is not None and size <= scratch._capacity - scratch._writer:
                    self._run_end = last
                    return scratch
                break
            before -= 1
        self._spare = self._scratch(size)
        return self._spare

    def _take_in(self, entry: Entry, buf: ByteBuf) -> None:
        """Put the bytes that were read to the end of `buf` in the place of the region."""
        if self._run_end is not None:
            self._run_end.is_last = False
            self._run_end = None
        self._spare = None
        entry.kind = JOINED
        entry.buf = buf
        entry.other = None
        entry.end = buf._writer
        entry.is_last = True

    def _forget_plan(self) -> None:
        """Let go of the plan and of what was made for it. May run foreign code, so it comes last."""
        self._offered = 0
        if self._plan is not None:
            self._plan = None
        if self._named is not None:
            self._named = self._run_end = None
        if self._exports is None and self._spare is None:
            return
        spare, exports = self._spare, self._exports
        self._spare = self._exports = None
        if exports is not None:
            for view in exports:
                view.release()
        if spare is not None:
            spare.release()

    # The answers of the transport.

    def opened(self) -> None:
        """Say that the file of the last plan, an OpenFile, is open: its size counts from now on.

        Raises: UsageError if the last plan was another one."""
        entry = self._named
        if entry is None or entry.is_open:
            raise UsageError("the last plan was no OpenFile")
        region = entry.other
        assert isinstance(region, FileRegion)
        entry.is_open = True
        if entry.is_unknown:
            entry.is_unknown = False
            entry.size = entry.left = region.remaining
            self._pending_file += entry.left
        if not entry.left:
            entry.kind = EMPTY
            entry.other = None
        if self._files_are_high() and not self._is_high:
            self._rise()
        self._forget_plan()
        if not entry.left:
            region.release()
        if self._notices:
            self._deliver()

    def inlined(self) -> None:
        """Say that the region of the last plan, an InlineFile, was read: its bytes take its place in the queue.

        Where fewer bytes came than the region has, it stays a region and is not offered for reading again.
        Raises: UsageError if the last plan was another one."""
        entry, plan = self._named, self._plan
        if entry is None or not isinstance(plan, InlineFile):
            raise UsageError("the last plan was no InlineFile")
        buf = plan.buf
        region: FileRegion | None = plan.region
        before = 0 if self._run_end is None else self._run_end.end
        if buf._writer - before == entry.left:
            self._take_in(entry, buf)
        else:
            entry.direct = True
            region = None
        self._forget_plan()
        if region is not None:
            region.release()

    def fail_entry(self, exc: BaseException) -> None:
        """Give up the region that the last plan is about: nothing of it was sent, the queue goes on without it.

        Its message is released now, its promise fails in its turn.
        Raises: UsageError if the last plan is not about a region, or a part of it was sent: then fail() all."""
        entry = self._named
        if entry is None or entry.left != entry.size:
            raise UsageError("only a region of which nothing was sent can fail alone")
        region = entry.other
        assert isinstance(region, FileRegion)
        if not entry.is_unknown:
            self._pending_file -= entry.left
        entry.left = 0
        entry.kind = EMPTY
        entry.other = None
        entry.error = exc
        if self._is_high:
            self._fall()
        self._forget_plan()
        region.release()
        if self._notices:
            self._deliver()
