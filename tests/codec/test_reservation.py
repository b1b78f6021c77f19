"""Length fields that are filled in later: any width, nested, in buffers that grow and in composites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zbuf import Pool, buffer, composite, copied, wrap
from zbuf.audit import process_account
from zbuf.codec import LengthField, LengthFieldBasedFrameDecoder, length_field
from zbuf.errors import CapacityError, EncodeError, ReadOnlyError, ReferenceCountError, UsageError
from zbuf.region import FileRegion


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("little", [False, True], ids=["big", "little"])
@pytest.mark.parametrize(
    "target", [lambda: buffer(0), lambda: buffer(64), composite], ids=["grows", "roomy", "composite"]
)
def test_field_says_the_bytes_behind_it(width, little, target):
    """Each width and order, in a buffer that grows, one that does not, and a composite; what stood before stays."""
    buf = target()
    buf.write_bytes(b"head")
    with length_field(buf, width, little_endian=little) as field:
        assert isinstance(field, LengthField) and field.index == 4 and field.length == 0
        buf.write_bytes(b"x" * 100)
        buf.write_int(7)
        assert field.length == 104
    assert buf == b"head" + (104).to_bytes(width, "little" if little else "big") + b"x" * 100 + b"\0\0\0\7"


@pytest.mark.parametrize(("adjustment", "includes"), [(0, False), (3, False), (-2, False), (0, True), (-1, True)])
def test_field_agrees_with_the_decoder_of_the_same_parameters_b150(adjustment, includes):
    """What is written so, LengthFieldBasedFrameDecoder reads."""
    buf = buffer()
    for body in (b"hello", b"abc"):
        with length_field(buf, 2, adjustment, includes_length_field=includes):
            buf.write_bytes(body)
    decoder = LengthFieldBasedFrameDecoder(64, 0, 2, -adjustment - (2 if includes else 0), 2)
    decoder.feed(buf)
    assert [bytes(frame) for frame in decoder] == [b"hello", b"abc"]


def test_fields_may_be_nested():
    """The inner message is part of the outer one's body, its field included."""
    buf = buffer(0)
    with length_field(buf, 2):
        buf.write_byte(1)
        with length_field(buf, 1):
            buf.write_bytes(b"inner")
        buf.write_byte(2)
    assert buf == b"\x00\x08\x01\x05inner\x02"


def test_payload_in_a_composite_is_not_copied():
    """Header and payload are one message of two pieces; no payload byte is copied, the payload is where it was."""
    payload = copied(bytes(65536))
    out = composite()
    before = process_account().snapshot()
    with length_field(out, 4):
        out.write_byte(9)
        out.append(payload)
    copies = sum(one.nbytes for one in (process_account().snapshot() - before).user.values())
    assert copies <= 16 and out.num_components == 2
    assert out.get_int(0) == 65537 and [5, 65536] == [view.nbytes for view in out.readable_views()]


def test_include_counts_what_follows_the_buffer(tmp_path):
    """Buffers, regions, bytes and numbers that are sent behind the header."""
    path = tmp_path / "file"
    path.write_bytes(bytes(300))
    head = buffer()
    with FileRegion(path, 0, 300) as region, length_field(head, 2) as field:
        head.write_byte(1)
        for part in (wrap(b"ab"), region, b"abc", memoryview(b"abcd"), 1000):
            field.include(part)
    assert head == (1 + 2 + 300 + 3 + 4 + 1000).to_bytes(2, "big") + b"\x01"


def test_field_is_filled_in_where_the_bytes_are_after_growth():
    """The buffer moves to another block while the field is open, also away from a slice that keeps the old one."""
    buf = buffer(8)
    with length_field(buf, 4):
        witness = buf.slice(0, 4)
        for _ in range(1000):
            buf.write_long(1)
    assert buf.get_int(0) == 8000 and witness == bytes(4)


@pytest.mark.parametrize(("width", "size"), [(1, 255), (1, 256), (2, 65535), (2, 65536)])
def test_length_that_does_not_fit_raises_and_takes_everything_back(width, size):
    """Exactly the largest fits; one byte more leaves the buffer as it was before the field."""
    for target in (buffer, composite):
        buf = target()
        buf.write_bytes(b"before")
        if size < 256**width:
            with length_field(buf, width):
                buf.write_zero(size)
            assert buf.readable_bytes == 6 + width + size
        else:
            with pytest.raises(EncodeError), length_field(buf, width):
                buf.write_zero(size)
            assert buf == b"before"


def test_negative_length_raises():
    """An adjustment that makes it negative."""
    buf = buffer()
    with pytest.raises(EncodeError), length_field(buf, 2, -5):
        buf.write_byte(1)
    assert not buf.is_readable


@pytest.mark.parametrize("target", [buffer, composite])
def test_exception_in_the_block_takes_everything_back(target):
    """No half-written message stays, and what was appended is let go."""
    pool = Pool()
    buf = target()
    buf.write_bytes(b"before")
    with pytest.raises(KeyError), length_field(buf, 4):
        part = pool.buffer(8)
        part.write_long(1)
        if target is composite:
            buf.append(part)
        else:
            buf.write_bytes(part)
            part.release()
        raise KeyError
    assert buf == b"before" and pool.statistics().live_blocks == 0
    buf.write_bytes(b"after")
    assert buf == b"beforeafter"


def test_exception_with_a_buffer_that_is_gone_passes():
    """A buffer released or read to its end in the block hides no exception."""
    buf = buffer()
    with pytest.raises(KeyError), length_field(buf, 4):
        buf.release()
        raise KeyError
    with pytest.raises(ReferenceCountError):
        length_field(buf, 4)


def test_without_a_with_block():
    """fill_in() returns the length, once; cancel() takes the field back."""
    buf = buffer()
    field = length_field(buf, 2)
    buf.write_bytes(b"abc")
    assert field.fill_in() == 3 and buf == b"\x00\x03abc"
    for call in (field.fill_in, field.cancel, lambda: field.include(1)):
        with pytest.raises(UsageError):
            call()
    other = length_field(buf, 2)
    buf.write_bytes(b"gone")
    assert repr(other) == "LengthField(index=5, width=2, open)"
    other.cancel()
    assert buf == b"\x00\x03abc"


def test_filled_in_inside_the_block():
    """What follows is no part of the message."""
    buf = buffer()
    with length_field(buf, 2) as field:
        buf.write_bytes(b"abc")
        field.fill_in()
        buf.write_bytes(b"more")
    assert buf == b"\x00\x03abcmore"


@pytest.mark.parametrize("width", [0, 5, 6, 7, 9, -1])
def test_bad_width_raises_value_error(width):
    """Before anything is written."""
    buf = buffer()
    with pytest.raises(ValueError):
        length_field(buf, width)
    assert not buf.is_readable


def test_arguments_of_the_wrong_type_or_value():
    """Widths are integers, counts are not negative, sizes are those of buffers."""
    buf = buffer()
    with pytest.raises(TypeError):
        length_field(buf, 2.0)
    field = length_field(buf, 2)
    with pytest.raises(ValueError):
        field.include(-1)
    for wrong in ("text", None, 1.5):
        with pytest.raises(TypeError):
            field.include(wrong)


def test_buffer_that_cannot_be_written():
    """As any write: read-only, or no room; nothing changes."""
    with pytest.raises(ReadOnlyError):
        length_field(wrap(b"abc"), 2)
    small = buffer(2, 3)
    with pytest.raises(CapacityError):
        length_field(small, 4)
    assert small.writer_index == 0


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_frames_written_so_come_back_b150(bodies):
    """Random frames in one buffer."""
    buf = buffer(0)
    for body in bodies:
        with length_field(buf, 1):
            buf.write_bytes(body)
    decoder = LengthFieldBasedFrameDecoder(64, 0, 1, 0, 1)
    decoder.feed(buf)
    assert [bytes(frame) for frame in decoder] == bodies
