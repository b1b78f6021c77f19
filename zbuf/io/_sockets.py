"""A buffer and a socket: one send or one receive over the pieces.

Owns    send_from, recv_into.
Never   a loop, a wait, the socket's life. Channels have calls of their own: these are for programs without one.
Always  None means that the socket would block. Python repeats a call that a signal interrupted. What the kernel moved
        stands in the audit: under the call, and as bytes from or to the peer.
"""

import sys
from typing import TYPE_CHECKING, Any

from zbuf.audit import CopyReason, charge, charge_call, charge_wire
from zbuf.buffer import ByteBuf
from zbuf.io._pieces import incoming, let_go, outgoing, received, sent

if TYPE_CHECKING:
    import socket

__all__ = ["recv_into", "send_from"]


def send_from(buf: ByteBuf, sock: "socket.socket", length: int | None = None, flags: int = 0) -> int | None:
    """Send up to `length` readable bytes, by default all, with one `send` or `sendmsg`; return how many went.

    None if the socket would block. At most 1024 pieces go at once; a TLS socket takes one. The reader index moves by
    what went; nothing to send is no call. Ownership: borrows. Cost: no copy of ours; encryption is billed (TLS).
    Raises: BoundsError, ValueError if negative, ReferenceCountError; what the socket raises. Source: Netty
    readBytes(GatheringByteChannel)."""
    views = outgoing(buf, length)
    if not views:
        return 0
    tls = _is_tls(sock)
    if tls or not hasattr(sock, "sendmsg"):
        let_go(views[1:])
        del views[1:]  # a short write; the rest goes with the next call
    try:
        if len(views) == 1:
            call, answer = "send", sock.send(views[0], flags)
        else:
            call, answer = "sendmsg", sock.sendmsg(views, (), flags)
        n = sent(buf, views, answer)
    except BlockingIOError:
        return None
    except OSError as exc:
        if tls and _would_block(exc):
            return None
        raise
    finally:
        let_go(views)
    _bill(call, n, len(views), tls)
    charge_wire(0, n)
    return n


def recv_into(buf: ByteBuf, sock: "socket.socket", length: int, flags: int = 0) -> int | None:
    """Receive up to `length` bytes behind the writer index, with one `recv_into` or `recvmsg_into`.

    Returns how many came: 0 is the end of the stream, None that the socket would block. The buffer grows first, by
    `length` if need be; the writer index moves by what came. Ownership: borrows. Cost: no copy of ours; decryption is
    billed (TLS). Raises: ValueError if `length` is not positive, or for MSG_TRUNC, whose answer counts bytes that did
    not come; ReadOnlyError, CapacityError, ReferenceCountError; what the socket raises. Source: Netty
    writeBytes(ScatteringByteChannel)."""
    views = incoming(buf, length)
    tls = _is_tls(sock)
    if tls or not hasattr(sock, "recvmsg_into"):
        let_go(views[1:])
        del views[1:]
    try:
        if flags & getattr(sys.modules.get("socket"), "MSG_TRUNC", 0):
            raise ValueError("with MSG_TRUNC the answer counts bytes that were not received")
        if len(views) == 1:
            call, answer = "recv", sock.recv_into(views[0], 0, flags)
        else:
            call, answer = "recvmsg", sock.recvmsg_into(views, 0, flags)[0]
        n = received(buf, views, answer)
    except BlockingIOError:
        return None
    except OSError as exc:
        if tls and _would_block(exc):
            return None
        raise
    finally:
        let_go(views)
    _bill(call, n, len(views), tls)
    charge_wire(n, 0)
    return n


def _bill(call: str, n: int, views: int, tls: bool) -> None:
    """Note one call. What a TLS library asked of the kernel is not ours to see; that it copied is known."""
    if not tls:
        charge_call(call, n, views)
    elif n:
        charge(CopyReason.TLS, n)


def _is_tls(sock: Any) -> bool:
    """Return whether `sock` is a TLS socket. Where that module is not loaded there is none, and loading it is dear."""
    ssl = sys.modules.get("ssl")
    return ssl is not None and isinstance(sock, ssl.SSLSocket)


def _would_block(exc: OSError) -> bool:
    """Return whether a TLS socket says that it would block: it has classes of its own for that."""
    ssl = sys.modules["ssl"]
    return isinstance(exc, ssl.SSLWantReadError | ssl.SSLWantWriteError)
