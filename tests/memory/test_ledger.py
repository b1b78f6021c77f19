"""The leak ledger: what it knows of each block, and what it reports.

Owns    BEHAVIOURS 118 and the ledger's half of 60; FAULTS 22 and 37; the reports of a detach.
Never   a leak of its own: the ledger is off again after each test.
Always  a line number in an expectation is taken from the code itself."""

from __future__ import annotations

import gc
import inspect
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from zbuf import ByteBuf, Pool, Unpooled, composite, copied, wrap
from zbuf.errors import DetachedWarning, UnreleasedWarning
from zbuf.memory import Lease, Place, ledger

ROOT = Path(__file__).resolve().parents[2]
DATA = b"sixteen bytes..."


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """The ledger is on during each test and as it was before afterwards."""
    with ledger.keeping():
        yield


def line(back: int = 0) -> int:
    """The caller's line, minus `back`."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno - back


def leased(pool: Pool | Unpooled, data: bytes = DATA) -> ByteBuf:
    """A buffer with these bytes."""
    buf = pool.buffer(len(data))
    buf.write_bytes(data)
    return buf


def leases() -> list[Lease]:
    """The leases of this test: the suite may hold blocks of its own."""
    return [lease for lease in ledger.live() if lease.born.file == __file__]


@pytest.mark.parametrize("make", [Pool, Unpooled])
def test_b118_a_live_block_is_listed_with_its_birthplace(make: type[Pool] | type[Unpooled]) -> None:
    """File, line and function of who asked for it; nothing is left when it is gone."""
    pool = make()
    buf = pool.buffer(100)
    here = line(1)
    (found,) = leases()
    function = "test_b118_a_live_block_is_listed_with_its_birthplace"
    assert found.born == Place(__file__, here, function)
    assert str(found.born) == f"{__file__}:{here} in {function}"
    assert (found.asked, found.size, found.pooled) == (100, buf.memory_size, make is Pool)
    assert (found.touched, found.hint, found.holders) == (None, None, 1)
    assert 0 <= found.age < 60
    buf.release()
    assert leases() == []


def test_b118_the_last_touch_is_remembered_with_its_hint() -> None:
    """A slice touches the same block; the line is the caller's."""
    buf = leased(Pool())
    part = buf.slice()
    buf.touch()
    here = line(1)
    (found,) = leases()
    assert found.touched is not None
    assert (found.touched.line, found.hint) == (here, None)
    assert part.touch("in the decoder") is part
    here = line(1)
    (found,) = leases()
    assert found.touched is not None
    assert (found.touched.line, found.hint) == (here, "in the decoder")
    part.release()
    buf.release()


def test_b118_a_composite_passes_a_touch_on_to_each_block() -> None:
    """Netty's swallows it."""
    pool = Pool()
    whole = composite()
    for _ in range(3):
        whole.append(leased(pool))
    whole.touch("whole")
    assert ["whole"] * 3 == [found.hint for found in leases()]
    whole.release()
    assert leases() == []


def test_b118_when_off_nothing_is_listed() -> None:
    """What was leased while it was off stays unknown, what was known is forgotten."""
    pool = Pool()
    known = leased(pool)
    ledger.disable()
    assert ledger.live() == []
    assert not ledger.is_on
    unknown = leased(pool)
    unknown.touch("nobody listens")
    assert ledger.report() == "the ledger is off"
    ledger.enable()
    assert leases() == []
    for buf in (known, unknown):
        buf.touch("not known")
        buf.release()
    assert leases() == []
    assert (pool.statistics().live_blocks, pool.statistics().live_bytes) == (0, 0)


def test_each_holder_is_counted_as_what_it_is() -> None:
    """Handles with the line that made each, exports, and components of composites."""
    buf = leased(Pool())
    part = buf.slice(2, 5)
    here = line(1)
    whole = wrap(buf.duplicate(), copied(b"more"))
    view, again = buf.view(), part.view()
    found = next(lease for lease in leases() if lease.pooled)
    assert [name for name, _ in found.handles] == ["ByteBuf", "SlicedByteBuf"]
    assert found.handles[1][1].line == here
    assert (found.exports, found.others, found.holders) == (2, 1, 5)
    assert "held by a SlicedByteBuf" in found.describe()
    assert "2 memoryview" in found.describe()
    assert "1 component" in found.describe()
    view.release()
    again.release()
    whole.release()
    part.release()
    found = next(lease for lease in leases() if lease.pooled)
    assert (len(found.handles), found.exports, found.others) == (1, 0, 0)
    buf.release()


def test_exports_are_counted_until_the_last_view_is_gone() -> None:
    """A view of a view holds the export of the first; numpy's arrays count."""
    buf = leased(Pool())
    view = buf.view()
    part = view[2:4]
    assert leases()[0].exports == 1
    view.release()
    assert bytes(part) == DATA[2:4]
    del view, part
    assert leases()[0].exports == 0
    numpy = pytest.importorskip("numpy")
    array = numpy.frombuffer(buf.view(), "u1")
    assert leases()[0].exports >= 1
    del array
    assert leases()[0].exports == 0
    buf.release()


class Session:
    """Something that keeps a buffer."""

    def __init__(self, body: ByteBuf) -> None:
        self.body = body


def test_who_holds_it_is_said_in_words() -> None:
    """An attribute, a list, a local variable, a view: each by name; and asking keeps nothing alive."""
    pool = Pool()

    def work() -> list[str]:
        mine = leased(pool)
        session, queue, view = Session(mine), [mine.slice()], mine.view()
        words = leases()[0].held_by()
        del session, queue, view
        mine.release()
        assert pool.statistics().live_blocks == 0, "the search itself must not pin what it found"
        return words

    text = "\n".join(work())
    assert "attribute 'body' of a Session" in text
    assert "item of a list of 1" in text
    if sys.gettrace() is None or sys.version_info >= (3, 13):
        assert "local 'mine' of test_who_holds_it_is_said_in_words.<locals>.work" in text
    assert "SlicedByteBuf made at" in text
    assert f"{__file__}:" in text


def test_a_lease_of_a_block_that_is_gone_is_held_by_nobody() -> None:
    """It is a snapshot, no holder."""
    pool = Pool()
    buf = leased(pool)
    (found,) = leases()
    buf.release()
    assert pool.statistics().live_blocks == 0
    assert found.held_by() == []
    assert "leased at" in found.describe()


def test_a_snapshot_tells_what_was_leased_since() -> None:
    """Older blocks are not counted, nor what is gone already."""
    pool = Pool()
    old = leased(pool)
    before = ledger.snapshot()
    assert before.new() == []
    new, gone = leased(pool), leased(pool)
    here = inspect.getsourcelines(leased)[1] + 2
    gone.release()
    (found,) = before.new()
    assert found.born.line == here
    assert ledger.snapshot().new() == []
    old.release()
    new.release()
    assert before.new() == []


def test_the_report_names_the_largest_first() -> None:
    """With the sum at its head; with nothing held it says so."""
    pool = Pool()
    small, large = pool.buffer(64), pool.buffer(4096)
    text = ledger.report()
    assert text.index("4096 bytes, pooled") < text.index("64 bytes, pooled")
    assert "blocks are held" in text.splitlines()[0]
    small.release()
    large.release()
    if not ledger.live():
        assert ledger.report() == "no blocks are held"


def test_b060_a_dropped_buffer_is_reported_once_with_its_birthplace() -> None:
    """One UnreleasedWarning, whose place is the line that leased it; the block is free all the same."""
    pool = Pool()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        buf = pool.buffer(77)
        here = line(1)
        buf.touch("last seen here")
        part = buf.slice()
        del buf
        assert len(caught) == 1
        del part
    assert pool.statistics().live_blocks == 0
    (warning,) = caught
    assert warning.category is UnreleasedWarning
    assert issubclass(UnreleasedWarning, ResourceWarning)
    assert (warning.filename, warning.lineno) == (__file__, here)
    text = str(warning.message)
    assert "77 bytes" in text
    assert f"{__file__}:{here}" in text
    assert "last seen here" in text


def test_b060_what_was_released_or_moved_is_not_reported() -> None:
    """Released buffers, slices that are dropped, moved and written-away handles, retained ones that reach zero."""
    pool = Pool()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        released = leased(pool)
        released.release()
        part = leased(pool)
        kept = part.slice()
        part.release()
        del part, kept
        moved = leased(pool).move()
        del moved
        whole = composite()
        whole.append(leased(pool))
        del whole
        retained = leased(pool).retain()
        retained.release(2)
        with leased(pool):
            pass
    assert pool.statistics().live_blocks == 0


def test_b060_without_the_ledger_nothing_is_reported() -> None:
    """Dropping is safe and silent."""
    ledger.disable()
    pool = Pool()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        buf = leased(pool)
        del buf
    assert pool.statistics().live_blocks == 0


def test_b060_a_buffer_that_grew_is_reported_where_it_was_born() -> None:
    """It lies in another block by then; the line that made the buffer is the one to know."""
    pool = Pool()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        buf = pool.buffer(64)
        here = line(1)
        buf.write_bytes(bytes(1000))
        (found,) = leases()
        assert (found.size >= 1000, found.born.line) == (True, here)
        del buf
    assert [(w.category, w.lineno) for w in caught] == [(UnreleasedWarning, here)]


def test_f22_a_warning_made_an_error_cannot_harm_a_finaliser(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to sys.unraisablehook; the block is free, and nothing is reported twice."""
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: said.append(args.exc_type))
    pool = Pool()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        buf = leased(pool)
        del buf
    assert said == [UnreleasedWarning]
    assert pool.statistics().live_blocks == 0
    again = leased(pool)
    again.release()


def test_f22_an_exception_in_flight_survives_a_report() -> None:
    """Handles die while an exception unwinds: it arrives as it was."""
    pool = Pool()

    def fail() -> None:
        buf = leased(pool)
        raise LookupError(str(buf.readable_bytes))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(LookupError, match=str(len(DATA))):
            fail()
    assert [w.category for w in caught] == [UnreleasedWarning]
    assert pool.statistics().live_blocks == 0


def test_f37_a_buffer_in_a_cycle_is_reported_when_it_is_collected() -> None:
    """The report names the line that leased it."""
    pool = Pool()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session = Session(pool.buffer(10))
        here = line(1)
        session.me = session  # type: ignore[attr-defined]
        del session
        assert not caught
        gc.collect()
    assert [(w.category, w.lineno) for w in caught] == [(UnreleasedWarning, here)]
    assert pool.statistics().live_blocks == 0


def test_a_detach_is_reported_with_both_birthplaces() -> None:
    """A write that outgrows a shared block: where it was leased and where it was left."""
    buf = Pool().buffer(64)
    born = line(1)
    buf.write_bytes(DATA * 4)
    part = buf.slice()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        buf.write_bytes(DATA)
        here = line(1)
    (warning,) = caught
    assert warning.category is DetachedWarning
    assert (warning.filename, warning.lineno) == (__file__, here)
    assert f"{__file__}:{born}" in str(warning.message)
    assert f"{__file__}:{here}" in str(warning.message)
    assert [found.holders for found in leases()] == [1, 1]
    part.release()
    buf.release()
    assert leases() == []


def test_a_discard_of_shared_bytes_is_a_detach_and_a_compact_is_none() -> None:
    """compact() is asked for in order to leave the block; growth of a sole holder leaves nobody behind."""
    pool = Pool()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        buf = leased(pool)
        part = buf.slice()
        buf.skip_bytes(4)
        buf.discard_read_bytes()
        assert [w.category for w in caught] == [DetachedWarning]
        part.compact()
        alone = leased(pool)
        alone.write_bytes(bytes(5000))
        assert len(caught) == 1
    for handle in (buf, part, alone):
        handle.release()
    assert leases() == []


def test_a_detach_that_is_an_error_changes_nothing() -> None:
    """With warnings turned into errors the write raises before a byte or an index moves."""
    pool = Pool()
    buf = pool.buffer(64)
    buf.write_bytes(DATA * 4)
    part = buf.slice()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DetachedWarning):
            buf.write_bytes(DATA)
    assert (bytes(buf), buf.capacity, buf.shares_memory_with(part)) == (DATA * 4, 64, True)
    buf._check()
    buf.release()
    part.release()


def test_a_warning_filter_that_releases_the_buffer_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """showwarning is anybody's code, and runs in the midst of a write."""
    pool = Pool()
    buf = leased(pool, DATA * 4)
    part = buf.slice()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda *args, **kwargs: buf.release())
        with pytest.raises(RuntimeError):
            buf.write_bytes(bytes(100))
    assert buf.refcnt == 0
    assert bytes(part) == DATA * 4
    part.release()
    assert pool.statistics().live_blocks == 0


def test_keeping_leaves_the_ledger_as_it_was() -> None:
    """Nested use does not switch it off for the outer one."""
    assert ledger.is_on
    with ledger.keeping() as inner:
        assert inner is ledger
    assert ledger.is_on
    ledger.disable()
    with pytest.raises(LookupError), ledger.keeping():
        assert ledger.is_on
        raise LookupError
    assert not ledger.is_on
    ledger.enable()
    ledger.enable()
    assert ledger.is_on


def test_eight_threads_lease_and_drop_while_a_ninth_asks() -> None:
    """The books are exact at the end, and no question fails meanwhile."""
    pool = Pool()
    failures: list[BaseException] = []
    barrier = threading.Barrier(9)

    def work() -> None:
        try:
            barrier.wait()
            held: list[ByteBuf] = []
            for turn in range(150):
                buf = pool.buffer(64 + turn)
                buf.touch(turn)
                held.append(buf.slice())
                buf.release()
                if len(held) > 4:
                    held.pop(0).release()
            for part in held:
                part.release()
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait()
    while any(thread.is_alive() for thread in threads):
        for found in ledger.live():
            assert found.size >= 64
            assert found.holders >= 0
        ledger.report()
    for thread in threads:
        thread.join()
    assert failures == []
    assert leases() == []
    assert pool.statistics().live_blocks == 0


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter of this form."""
    base = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**base, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


PROGRAM = """
import zbuf
pool = zbuf.Pool()
def work():
    for _ in range(3):
        buf = pool.buffer(10)
work()
kept = pool.buffer(20)
print(len(zbuf.memory.ledger.live()))
"""


def test_zbuf_ledger_keeps_it_from_the_start_and_shows_reports() -> None:
    """One line of a program is shown once; what lives at the end of the interpreter is no report."""
    ended = run(PROGRAM, ZBUF_LEDGER="1")
    assert (ended.returncode, ended.stdout) == (0, "1\n")
    assert ended.stderr.count("UnreleasedWarning") == 1, ended.stderr
    assert "<string>:6" in ended.stderr


@pytest.mark.parametrize("value", ["0", ""])
def test_without_zbuf_ledger_nothing_is_kept(value: str) -> None:
    """Off is the default."""
    ended = run(PROGRAM, ZBUF_LEDGER=value)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")


def test_filters_that_somebody_asked_for_are_respected() -> None:
    """-W ignore is stronger than ZBUF_LEDGER=1."""
    ended = run(PROGRAM, ZBUF_LEDGER="1", PYTHONWARNINGS="ignore")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")
