"""Values that an application hangs on a channel, under keys that know the type of their value.

Owns    the key and the place.
Never   a meaning; a global registry of names, as Netty has: two keys of one name are two keys.
Always  mypy knows what comes out of `channel.attributes[USER]`.
"""

from typing import Any, Generic, TypeVar, overload

__all__ = ["AttributeKey", "Attributes"]

T = TypeVar("T")
D = TypeVar("D")


class AttributeKey(Generic[T]):
    """A key for `channel.attributes`; what is stored under it is a `T`. Make one per purpose, as a module constant.

    >>> USER: AttributeKey[str] = AttributeKey("user")
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: str = name

    def __repr__(self) -> str:
        return f"AttributeKey({self.name!r})"


class Attributes(dict[Any, Any]):
    """The attributes of one channel: a dict that gives back the type of an `AttributeKey`."""

    __slots__ = ()

    @overload
    def __getitem__(self, key: AttributeKey[T]) -> T: ...
    @overload
    def __getitem__(self, key: Any) -> Any: ...
    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key)

    @overload
    def __setitem__(self, key: AttributeKey[T], value: T) -> None: ...
    @overload
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)

    @overload
    def get(self, key: AttributeKey[T], default: None = None) -> T | None: ...
    @overload
    def get(self, key: AttributeKey[T], default: D) -> T | D: ...
    @overload
    def get(self, key: Any, default: Any = None) -> Any: ...
    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value under `key`, or the default."""
        return super().get(key, default)
