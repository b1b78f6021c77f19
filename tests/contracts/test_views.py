"""Views: the pieces for sendmsg and recvmsg_into, the one contiguous view, the buffer protocol.

Owns    BEHAVIOURS 32, 33, 107 (contiguity) and 119.
Never   how long a view keeps its block: memory/test_lifetime has that.
Always  a view shows bytes where they lie; nothing is copied to make one."""

from __future__ import annotations

import socket

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    MakeRoom,
    each_contiguous,
    each_growing,
    each_read_only,
    each_room,
    each_shape,
    each_writable,
    fails,
    unchanged,
)
from zbuf import ByteBuf, _form, buffer, composite, copied
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError

DATA = bytes(range(1, 21))
exports_buffers = pytest.mark.skipif(
    not _form.EXPORTS_BUFFERS, reason="before 3.12 the interpreted form has no buffer protocol of its own"
)


@each_shape
def test_b032_readable_views_join_to_the_readable_bytes(shape: Make) -> None:
    """In order, none empty, all plain byte views; an empty buffer has none."""
    buf = shape(DATA)
    buf.skip_bytes(3)
    buf.writer_index -= 1
    with unchanged(buf):
        views = buf.readable_views()
        assert b"".join(views) == bytes(buf) == DATA[3:-1]
        assert all(view.nbytes and (view.format, view.ndim) == ("B", 1) for view in views)
        assert all(view.readonly or not buf.is_read_only for view in views)
        if not hasattr(buf, "num_components"):
            assert len(views) == 1
    del views
    buf.skip_bytes(buf.readable_bytes)
    assert buf.readable_views() == []


@each_shape
def test_b032_max_count_and_max_bytes_cut_exactly(shape: Make) -> None:
    """At most max_count views and max_bytes bytes, but at least one view when anything is readable."""
    buf = shape(DATA)
    for max_count in (1, 2, 3, 1000):
        views = buf.readable_views(max_count)
        assert 1 <= len(views) <= max_count
        assert DATA.startswith(b"".join(views))
    for max_bytes in (1, 2, 3, 7, 19, 20, 21, 2**62):
        joined = b"".join(buf.readable_views(max_bytes=max_bytes))
        assert joined == DATA[:max_bytes]
    assert len(b"".join(buf.readable_views(2, 1))) == 1


def test_b032_thousands_of_components_are_cut_at_1024() -> None:
    """The default is what one sendmsg takes."""
    buf = composite()
    for at in range(2500):
        buf.append(bytes([at % 251]))
    assert len(buf.readable_views()) == 1024
    assert len(buf.readable_views(5000)) == 2500


@each_room
def test_b033_bytes_put_into_writable_views_appear_when_committed(room: MakeRoom) -> None:
    """writable_views cover [w, cap); what was put there is read after writer_index moved, not before."""
    buf = room(12)
    views = buf.writable_views(5)
    assert sum(view.nbytes for view in views) == buf.writable_bytes >= 12
    assert all(view.nbytes and not view.readonly for view in views)
    rest = memoryview(b"hello world!")
    for view in views:
        n = min(view.nbytes, len(rest))
        view[:n] = rest[:n]
        rest = rest[n:]
        view.release()
    assert bytes(buf) == b""
    buf.writer_index += 5
    assert bytes(buf) == b"hello"
    buf.writer_index += 7
    assert bytes(buf) == b"hello world!"


@each_growing
def test_b033_writable_views_make_the_room_asked_for(growing: MakeGrowing) -> None:
    """A minimum beyond the capacity grows, beyond the maximum raises."""
    buf = growing(DATA, 100)
    views = buf.writable_views(50)
    assert sum(view.nbytes for view in views) == buf.writable_bytes >= 50
    assert buf.capacity <= 100
    for view in views:
        view.release()
    with fails(CapacityError, buf):
        buf.writable_views(81)


@each_read_only
def test_b033_writable_views_of_a_read_only_buffer_are_refused(shape: Make) -> None:
    """Not even an empty list is given."""
    buf = shape(DATA)
    for minimum in (0, 1):
        with fails(ReadOnlyError, buf):
            buf.writable_views(minimum)


@each_contiguous
def test_b119_view_is_a_plain_byte_view_of_the_range(shape: Make) -> None:
    """Format B, one dimension, writable as the buffer is; the pair follows rule I9."""
    buf = shape(DATA)
    r = buf.reader_index
    view = buf.view()
    assert (view.format, view.ndim, view.nbytes, view.c_contiguous) == ("B", 1, 20, True)
    assert view.readonly == buf.is_read_only
    assert view == DATA
    assert buf.view(r + 2) == DATA[2:]
    assert buf.view(length=3) == DATA[:3]
    buf.writer_index = r + 1
    assert buf.view(r, 20) == DATA
    assert view == DATA
    assert buf.view(buf.capacity, 0) == b""
    for bad in ((r + 2,), (None, 2), (buf.capacity, 1), (-1, 1)):
        with fails(BoundsError, buf):
            buf.view(*bad)


@exports_buffers
@each_contiguous
def test_b119_memoryview_of_a_buffer_exports_its_readable_bytes(shape: Make) -> None:
    """The range is fixed at that moment: later moves of the indices do not move the view."""
    buf = shape(DATA)
    buf.skip_bytes(2)
    view = memoryview(buf)
    assert (view.format, view.ndim, view.nbytes, view.readonly) == ("B", 1, 18, buf.is_read_only)
    buf.skip_bytes(5)
    assert view == DATA[2:]


@exports_buffers
@each_read_only
def test_b119_a_writable_export_of_a_read_only_buffer_is_refused(shape: Make) -> None:
    """Whoever asks for writable memory gets BufferError or TypeError from the one who asks, never the bytes."""
    buf = shape(DATA)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises((BufferError, TypeError)):
        sock.recv_into(buf)
    assert bytes(buf) == DATA


@each_writable
def test_b119_a_write_through_a_view_is_seen_by_the_buffer(shape: Make) -> None:
    """A view is the memory itself, both ways."""
    buf = shape(DATA)
    r = buf.reader_index
    view = buf.view(r, 1)
    view[0] = 200
    assert buf.get_unsigned_byte(r) == 200
    buf.set_byte(r, 7)
    assert view[0] == 7


def _two_spans() -> ByteBuf:
    whole = composite()
    whole.append(copied(b"abc"))
    whole.append(copied(b"def"))
    return whole


def test_b107_a_range_across_components_has_no_view() -> None:
    """BufferError, not a silent copy; a range inside one component is a view."""
    buf = _two_spans()
    assert not buf.is_contiguous
    for pair in ((), (2, 2), (0, 6)):
        with fails(BufferError, buf):
            buf.view(*pair)
    assert (buf.view(0, 3), buf.view(3, 3), buf.view(3, 0)) == (b"abc", b"def", b"")
    buf.skip_bytes(3)
    assert buf.is_contiguous
    assert buf.view() == b"def"


@exports_buffers
def test_b107_memoryview_of_a_composite_works_exactly_when_it_is_contiguous() -> None:
    """BufferError over two components, an export over one."""
    buf = _two_spans()
    with pytest.raises(BufferError):
        memoryview(buf)
    buf.skip_bytes(4)
    assert memoryview(buf) == b"ef"


@each_shape
def test_contiguity_is_a_fact_about_the_readable_bytes(shape: Make) -> None:
    """Everything but a composite is always contiguous; a composite with at most one readable span is, too."""
    buf = shape(DATA)
    if not hasattr(buf, "num_components"):
        assert buf.is_contiguous
        return
    assert not buf.is_contiguous
    buf.reader_index = buf.writer_index - 1
    assert buf.is_contiguous


@each_shape
def test_b120_a_socket_pair_carries_the_views_intact(shape: Make) -> None:
    """sendmsg(readable_views) on one side, recvmsg_into(writable_views) on the other."""
    buf, received = shape(DATA * 10), buffer(4, 1000)
    one, other = socket.socketpair()
    with one, other:
        assert one.sendmsg(buf.readable_views()) == 200
        views = received.writable_views(300)
        n = other.recvmsg_into(views)[0]
        for view in views:
            view.release()
        received.writer_index += n
    assert received == buf == DATA * 10


@pytest.mark.parametrize("parts", [1, 3, 2000])
def test_b120_any_number_of_components_travels_through_a_socket_pair(parts: int) -> None:
    """More components than one call takes go in several; what is received lands in several components too."""
    sent, received = composite(), composite()
    for k in range(parts):
        sent.append(copied(k.to_bytes(3, "big")))
    for _ in range(min(parts, 4)):
        room = copied(bytes(parts))
        received.append(room)
    received.set_index(0, 0)
    expected = bytes(sent)
    one, other = socket.socketpair()
    with one, other:
        while sent.is_readable:
            views = sent.readable_views()
            assert len(views) == min(1024, sent.num_components - sent.to_component_index(sent.reader_index))
            sent.skip_bytes(one.sendmsg(views))
        one.shutdown(socket.SHUT_WR)
        while n := other.recvmsg_into(received.writable_views(1))[0]:
            received.writer_index += n
    assert received == expected


@exports_buffers
@each_contiguous
def test_a_buffer_goes_where_bytes_go(shape: Make) -> None:
    """hashlib, bytes.join, struct and a socket take the handle itself."""
    import hashlib
    import struct

    buf = shape(DATA)
    assert hashlib.sha256(buf).digest() == hashlib.sha256(DATA).digest()
    assert b"".join([buf, buf]) == DATA * 2
    assert struct.unpack_from(">H", buf, 1) == (0x0203,)
    one, other = socket.socketpair()
    with one, other:
        assert one.send(buf) == 20
        assert other.recv(100) == DATA


@each_contiguous
def test_b121_a_numpy_array_is_a_view_in_network_order(shape: Make) -> None:
    """np.frombuffer shares memory both ways, read-only as the buffer is."""
    numpy = pytest.importorskip("numpy")
    buf = shape(DATA)
    array = numpy.frombuffer(buf.view(), ">u4")
    assert array.tolist() == [int.from_bytes(DATA[at : at + 4], "big") for at in range(0, 20, 4)]
    assert array.flags.writeable != buf.is_read_only
    if not buf.is_read_only:
        array[1] = 0xDEADBEEF
        assert buf.get_unsigned_int(buf.reader_index + 4) == 0xDEADBEEF
        buf.set_int(buf.reader_index, 1)
        assert array[0] == 1
