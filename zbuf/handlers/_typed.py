"""A handler for messages of one type; everything else passes it by.

Owns    the question whether a message is of the type that stands between the brackets.
Never   a release: the handler owns its message as every handler does. Netty's SimpleChannelInboundHandler releases by
        itself, in this one base class only, and that is where its users' first double release comes from.
Always  the type is read off the class once, when the class is made.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from zbuf.pipeline import Handler

if TYPE_CHECKING:
    from zbuf.pipeline import Context

__all__ = ["TypedHandler"]

T = TypeVar("T")


class TypedHandler(Handler[Any, Any], Generic[T]):
    """Gets the messages of type `T`, in `channel_read_typed`; messages of other types go on to the next handler.

    `T` is a class, or a union of classes, written between the brackets of the base; a subclass that leaves it open
    must say `message_type` (a class, or a tuple of them). Ownership: the message is the handler's, as everywhere.
    Raises: TypeError when the class is made and its type can be neither read nor tested.

    >>> class Greeter(TypedHandler[str]):
    ...     def channel_read_typed(self, ctx: Context, msg: str) -> None:
    ...         ctx.write(f"hello {msg}".encode())
    """

    message_type: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "message_type" not in cls.__dict__:
            for base in getattr(cls, "__orig_bases__", ()):
                origin = get_origin(base)
                if isinstance(origin, type) and issubclass(origin, TypedHandler):
                    cls.message_type = _classes_of(get_args(base)[0], cls)
        elif cls.message_type is not None:
            cls.message_type = _classes_of(cls.message_type, cls)

    def channel_read(self, ctx: Context, msg: Any) -> None:
        """Take the message if it is of the type, else hand it on."""
        if self.message_type is None:
            raise TypeError(f"{type(self).__name__} does not say which messages it takes: TypedHandler[SomeClass]")
        if isinstance(msg, self.message_type):
            self.channel_read_typed(ctx, msg)
        else:
            ctx.fire_channel_read(msg)

    def channel_read_typed(self, ctx: Context, msg: T) -> None:
        """A message of the type came. Ownership: transfers to this handler."""
        raise NotImplementedError(f"{type(self).__name__} must define channel_read_typed")


def _classes_of(wanted: Any, owner: type) -> Any:
    """Return what isinstance() takes for a type, None for one that is still open."""
    if isinstance(wanted, TypeVar):
        return None
    if isinstance(wanted, tuple):
        parts = wanted
    elif get_origin(wanted) in (Union, types.UnionType):
        parts = get_args(wanted)
    else:
        parts = (wanted,)
    classes = tuple(part if get_origin(part) is None else get_origin(part) for part in parts)
    for part in classes:
        if not isinstance(part, type):
            raise TypeError(f"{owner.__name__}: a message cannot be tested for being a {part!r}; say message_type")
    return classes[0] if len(classes) == 1 else classes
