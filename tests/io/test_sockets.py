"""send_from and recv_into: one call on a socket over the pieces of a buffer.

Owns    BEHAVIOURS 31 for sockets; the wire in the process account.
Never   channels, which have calls of their own.
Always  an index moves by what the socket moved; None means that it would block."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    MakeRoom,
    each_growing,
    each_read_only,
    each_room,
    each_shape,
    fails,
    unchanged,
)
from zbuf import buffer, composite, copied
from zbuf.audit import CopyReason, audit
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError
from zbuf.io import recv_into, send_from

DATA = bytes(range(65, 85))
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected sockets."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@each_shape
def test_send_from_sends_all_and_moves_the_reader_index(shape: Make, pair: Pair) -> None:
    """The peer gets the readable bytes in order, by length or all of them."""
    one, other = pair
    buf = shape(DATA)
    first = buf.reader_index
    assert send_from(buf, one, 7) == 7
    assert buf.reader_index == first + 7
    assert send_from(buf, one) == 13
    assert other.recv(100) == DATA
    with unchanged(buf):
        assert send_from(buf, one) == 0
        assert send_from(buf, one, 0) == 0
    buf._check()


@each_room
def test_recv_into_puts_bytes_behind_the_writer_index(room: MakeRoom, pair: Pair) -> None:
    """Up to the length; 0 when the peer is gone; what lies behind stays."""
    one, other = pair
    one.sendall(DATA)
    buf = room(20)
    behind = buf.get_bytes(buf.writer_index + 7, buf.capacity - buf.writer_index - 7)
    assert recv_into(buf, other, 7) == 7
    assert buf.get_bytes(buf.writer_index, len(behind)) == behind
    assert recv_into(buf, other, 13) == 13
    assert bytes(buf) == DATA
    one.close()
    buf.writer_index -= 1
    with unchanged(buf):
        assert recv_into(buf, other, 1) == 0
    buf._check()


@each_growing
def test_recv_into_makes_room_first(growing: MakeGrowing, pair: Pair) -> None:
    """It grows as a write does; beyond max_capacity nothing is received."""
    one, other = pair
    one.sendall(b"z" * 100)
    buf = growing(b"head", 64)
    with fails(CapacityError, buf):
        recv_into(buf, other, 61)
    assert recv_into(buf, other, 60) == 60
    assert bytes(buf) == b"head" + b"z" * 60
    assert len(other.recv(100)) == 40


def test_a_socket_that_would_block_is_none(pair: Pair) -> None:
    """Nothing there: None. No room there: None, after a short count."""
    one, other = pair
    one.setblocking(False)
    other.setblocking(False)
    got = buffer()
    with unchanged(got):
        assert recv_into(got, other, 10) is None
    pieces = composite()
    pieces.extend([bytes(1 << 20), bytes(1 << 20)])
    while pieces.is_readable:
        before = pieces.reader_index
        n = send_from(pieces, one)
        if n is None:
            assert pieces.reader_index == before
            break
        assert pieces.reader_index == before + n
    assert 0 < pieces.reader_index < 2 << 20


def test_a_timeout_is_raised_and_nothing_moves(pair: Pair) -> None:
    """A socket with a timeout says so itself: that is no would-block."""
    pair[0].settimeout(0.01)
    buf = buffer()
    with fails(TimeoutError, buf):
        recv_into(buf, pair[0], 1)


def test_at_most_1024_pieces_go_in_one_call(pair: Pair) -> None:
    """EMSGSIZE cannot happen; the rest goes with the next call."""
    one, other = pair
    buf = composite()
    for _ in range(1500):
        buf.append(b"ab")
    assert send_from(buf, one) == 2048
    assert send_from(buf, one) == 952
    into = composite()
    for _ in range(1500):
        into.append(bytearray(2))
    into.writer_index = 0
    assert recv_into(into, other, 3000) == 2048
    assert recv_into(into, other, 952) == 952
    assert bytes(into) == b"ab" * 1500


def test_the_bill_of_the_process_has_calls_pieces_and_the_wire(pair: Pair) -> None:
    """One piece is a send, several a sendmsg; no copy is ours."""
    one, other = pair
    whole, pieces, got, parts = copied(DATA), composite(), buffer(64), composite()
    pieces.extend([b"abc", b"de"])
    parts.extend([bytearray(3), bytearray(2)])
    parts.writer_index = 0
    with audit() as opened:
        send_from(whole, one)
        send_from(pieces, one)
        recv_into(got, other, 20)
        recv_into(parts, other, 5)
    bill = opened.bill
    assert {call: (m.calls, m.nbytes, m.views) for call, m in bill.kernel.items()} == {
        "send": (1, 20, 1), "sendmsg": (1, 5, 2), "recv": (1, 20, 1), "recvmsg": (1, 5, 2),
    }  # fmt: skip
    assert (bill.user_bytes, bill.wire_out, bill.wire_in) == (0, 25, 25)
    assert (bytes(got), bytes(parts)) == (DATA, b"abcde")


def test_flags_are_handed_on(pair: Pair) -> None:
    """MSG_PEEK leaves the bytes in the socket; MSG_TRUNC, whose answer may be more than came, is refused."""
    one, other = pair
    one.sendall(b"twice")
    buf = buffer()
    assert recv_into(buf, other, 5, socket.MSG_PEEK) == 5
    assert recv_into(buf, other, 5) == 5
    assert bytes(buf) == b"twicetwice"
    with fails(ValueError, buf):
        recv_into(buf, other, 5, socket.MSG_TRUNC)
    with fails(TypeError, buf):
        recv_into(buf, other, 5, "0")  # type: ignore[arg-type]  # the point
    assert recv_into(buf, other, 5, socket.MSG_DONTWAIT) is None
    with pytest.raises(TypeError):
        send_from(buf, one, 5, "0")  # type: ignore[arg-type]  # the point
    assert send_from(buf, one, 5, socket.MSG_DONTWAIT) == 5


@each_shape
def test_bad_arguments_change_nothing(shape: Make, pair: Pair) -> None:
    """By the rules of all methods; a closed socket is the system's to tell."""
    one, other = pair
    buf = shape(DATA)
    for bad, expected in ((1.0, TypeError), (2**70, OverflowError), (-1, ValueError), (21, BoundsError)):
        with fails(expected, buf):
            send_from(buf, one, bad)  # type: ignore[arg-type]  # the point
    one.close()
    with fails(OSError, buf):
        send_from(buf, one)
    other.close()
    buf.release()
    with pytest.raises(ReferenceCountError):
        send_from(buf, other, -1)
    with pytest.raises(ReferenceCountError):
        recv_into(buf, other, 0)


@each_room
def test_recv_into_refuses_length_0(room: MakeRoom, pair: Pair) -> None:
    """0 can only mean the end of the stream."""
    buf = room(20)
    for n in (0, -1):
        with fails(ValueError, buf):
            recv_into(buf, pair[0], n)
    with fails(TypeError, buf):
        recv_into(buf, pair[0], None)  # type: ignore[arg-type]  # the point


@each_read_only
def test_recv_into_a_read_only_buffer_is_refused(shape: Make, pair: Pair) -> None:
    """ReadOnlyError, also for a length that is wrong besides."""
    buf = shape(DATA)
    for n in (0, 1, -1):
        with fails(ReadOnlyError, buf):
            recv_into(buf, pair[0], n)


class Odd:
    """A socket's shape that does something to the buffer, and answers what it likes."""

    def __init__(self, act: Any, answer: Any) -> None:
        self.act = act
        self.answer = answer

    def send(self, view: memoryview, flags: int) -> Any:
        self.act()
        return self.answer

    recv_into = lambda self, view, n, flags: self.send(view, flags)  # noqa: E731  (one line says it)


def test_an_odd_socket_harms_nobody() -> None:
    """It releases, shrinks, or lies: documented errors, whole indices."""
    for answer in (100, -1, 2**70):
        buf = copied(DATA)
        buf.ensure_writable(5)
        with fails(ValueError, buf):
            send_from(buf, Odd(lambda: None, answer))  # type: ignore[arg-type]  # the point
        with fails(ValueError, buf):
            recv_into(buf, Odd(lambda: None, answer), 5)  # type: ignore[arg-type]  # the point
    for call in (lambda b, s: send_from(b, s), lambda b, s: recv_into(b, s, 5)):
        buf = copied(DATA)
        with pytest.raises(ReferenceCountError):
            call(buf, Odd(buf.release, 5))
        buf = copied(DATA)
        with pytest.raises(BoundsError):
            call(buf, Odd(lambda buf=buf: buf.set_capacity(0), 5))
        buf._check()


def test_a_socket_is_only_lent_its_views() -> None:
    """What it kept of them is released; a caught exception keeps no block either."""
    kept: list[memoryview] = []

    class Keeper:
        def send(self, view: memoryview, flags: int) -> int:
            kept.append(view)
            return len(view)

        def recv_into(self, view: memoryview, n: int, flags: int) -> int:
            kept.append(view)
            raise OSError("broken")

    buf = buffer(64)
    buf.write_bytes(DATA)
    assert send_from(buf, Keeper()) == 20  # type: ignore[arg-type]  # a socket's shape will do
    with pytest.raises(OSError, match="broken") as caught:
        recv_into(buf, Keeper(), 5)  # type: ignore[arg-type]  # a socket's shape will do
    for view in kept:
        with pytest.raises(ValueError, match="released"):
            bytes(view)
    assert not buf.is_shared
    assert (len(kept), caught.type) == (2, OSError)


# TLS.


@pytest.fixture
def tls(pair: Pair) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Two ends of a TLS connection without certificates: an anonymous cipher, or the test is skipped."""
    client, server = (ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    for context in (client, server):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
        except ssl.SSLError:
            pytest.skip("this OpenSSL has no anonymous ciphers")
    for end in pair:
        end.setblocking(False)
    one = client.wrap_socket(pair[0], do_handshake_on_connect=False)
    other = server.wrap_socket(pair[1], server_side=True, do_handshake_on_connect=False)
    with one, other:
        done: set[ssl.SSLSocket] = set()
        while len(done) < 2:
            for end in (one, other):
                try:
                    end.do_handshake()
                    done.add(end)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
        yield one, other


def test_a_tls_socket_takes_one_piece_and_is_billed_as_a_copy(tls: tuple[ssl.SSLSocket, ssl.SSLSocket]) -> None:
    """sendmsg is not for TLS: pieces go one by one; would-block has classes of its own there."""
    one, other = tls
    pieces, got = composite(), composite()
    pieces.extend([b"abc", b"de"])
    got.extend([bytearray(2), bytearray(3)])
    got.writer_index = 0
    with audit() as opened:
        assert recv_into(got, other, 5) is None
        assert send_from(pieces, one) == 3
        assert send_from(pieces, one) == 2
        received = 0
        while received < 5:
            n = recv_into(got, other, 5 - received)
            received += n or 0
    assert bytes(got) == b"abcde"
    bill = opened.bill
    assert (bill.user[CopyReason.TLS].nbytes, bill.kernel, bill.wire_out, bill.wire_in) == (10, {}, 5, 5)
