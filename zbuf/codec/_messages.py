"""Messages into other messages: what stands behind the framing.

Owns    the two bases, `MessageToMessageDecoder` and `MessageToMessageEncoder`.
Never   pieces of a stream: a message comes whole. Pipelines; a loop can call these as well.
Always  who calls keeps the message and releases it afterwards, unless it is itself among the results.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from zbuf.buffer import Allocator

__all__ = ["MessageToMessageDecoder", "MessageToMessageEncoder"]

In = TypeVar("In")
Out = TypeVar("Out")


class MessageToMessageDecoder(Generic[In, Out]):
    """Turns each message of type In, read from the network, into any number of type Out. Derive and write `decode`.

    `accepts`: the classes of message it is for; a pipeline passes others on untouched.

    >>> class Words(MessageToMessageDecoder[str, str]):
    ...     accepts = str
    ...     def decode(self, msg: str) -> Iterable[str]:
    ...         return msg.split()
    >>> list(Words().decode("so long"))
    ['so', 'long']

    Source: Netty MessageToMessageDecoder."""

    accepts: ClassVar[type | tuple[type, ...]] = object

    def decode(self, msg: In) -> Iterable[Out]:
        """Return what `msg` means, in order; nothing at all is legal.

        Ownership: `msg` belongs to the caller, who releases it afterwards, also when this raises, unless it is itself
        among the results. Results belong to the caller. Raises: DecodeError or a subclass for what is wrong."""
        raise NotImplementedError

    def end(self) -> None:
        """Say that no more messages will come. Raises: IncompleteFrameError when something was not complete."""

    def reset(self) -> None:
        """Forget what was not complete."""


class MessageToMessageEncoder(Generic[In, Out]):
    """Turns each message of type In, on its way to the network, into any number of type Out. Derive, write `encode`.

    As an `Encoder`, but what comes out need not be bytes: an encoder nearer to the channel takes it.
    `accepts`: the classes of message it is for. Source: Netty MessageToMessageEncoder."""

    accepts: ClassVar[type | tuple[type, ...]] = object

    def encode(self, msg: In, alloc: Allocator) -> Iterable[Out]:
        """Return what `msg` becomes, in order; nothing at all is legal.

        Ownership: as `Encoder.encode`. Raises: EncodeError for a message that cannot be encoded."""
        raise NotImplementedError
