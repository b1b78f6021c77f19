"""What the key-value server keeps: keys, when they end, who listens to what, and which method answers which command."""

import fnmatch
import itertools
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from resp_codec import NIL, Error, number

from zbuf import ByteBuf, ChannelGroup

Value = bytes | ByteBuf
COMMANDS: dict[bytes, tuple[Callable[..., Any], int, int]] = {}  # name -> method, fewest and most arguments
NOT_AN_INTEGER = Error("ERR value is not an integer or out of range")
SYNTAX = Error("ERR syntax error")
WHILE_SUBSCRIBED = (b"SUBSCRIBE", b"UNSUBSCRIBE", b"PING", b"QUIT", b"RESET")


def command(name: str, least: int = 0, most: int | None = None) -> Callable[[Any], Any]:
    """Make a method answer a command of so many arguments; without `most`, of exactly `least`; -1: of any number."""

    def note(method: Any) -> Any:
        COMMANDS[name.encode()] = (method, least, least if most is None else sys.maxsize if most < 0 else most)
        return method

    return note


class Store:
    """What all connections share: keys, when they end, and who listens to what."""

    def __init__(self) -> None:
        self.values: dict[bytes, Value] = {}
        self.ends: dict[bytes, float] = {}
        self.listeners: dict[bytes, ChannelGroup[Any]] = {}
        self.ids = itertools.count(1)

    def get(self, key: bytes) -> Value | None:
        """Return a value that has not ended."""
        if key in self.ends and self.ends[key] <= time.monotonic():
            self.drop(key)
        return self.values.get(key)

    def put(self, key: bytes, value: Value, *, end: float | None = None) -> None:
        """Keep a value. One that pins much more memory than it has bytes is moved to a block of its own size."""
        self.drop(key)
        if isinstance(value, ByteBuf):
            value = value.copy() if value.memory_size > 2 * len(value) else value
        self.values[key] = value
        if end is not None:
            self.ends[key] = end

    def drop(self, key: bytes) -> bool:
        """Forget a key."""
        self.ends.pop(key, None)
        return self.values.pop(key, None) is not None

    def live_keys(self) -> list[bytes]:
        """Return the keys that have not ended."""
        return [key for key in list(self.values) if self.get(key) is not None]


class KeyCommands:
    """The commands on keys and their values."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # Strings.

    @command("GET", 1)
    def get(self, key: Value) -> Any:
        value = self.store.get(bytes(key))
        return NIL if value is None else value

    @command("SET", 2, -1)
    def set(self, key: Value, value: Value, *options: Value) -> Any:
        name, end, before = bytes(key), None, self.store.get(bytes(key))
        words = iter([bytes(option).upper() for option in options])
        wants_old = False
        for word in words:
            if word in (b"EX", b"PX"):
                seconds = number(next(words, b"")) / (1 if word == b"EX" else 1000)
                if seconds <= 0:
                    return Error("ERR invalid expire time in 'set' command")
                end = time.monotonic() + seconds
            elif (word == b"NX" and before is not None) or (word == b"XX" and before is None):
                return NIL
            elif word == b"KEEPTTL":
                end = self.store.ends.get(name)
            elif word == b"GET":
                wants_old = True
            elif word not in (b"NX", b"XX"):
                return SYNTAX
        self.store.put(name, value, end=end)
        return "OK" if not wants_old else NIL if before is None else before

    @command("DEL", 1, -1)
    def delete(self, *keys: Value) -> Any:
        return sum(self.store.get(bytes(key)) is not None and self.store.drop(bytes(key)) for key in keys)

    @command("EXISTS", 1, -1)
    def exists(self, *keys: Value) -> Any:
        return sum(self.store.get(bytes(key)) is not None for key in keys)

    @command("MGET", 1, -1)
    def get_many(self, *keys: Value) -> Any:
        return [self.get(key) for key in keys]

    @command("STRLEN", 1)
    def length(self, key: Value) -> Any:
        return len(self.store.get(bytes(key)) or b"")

    @command("INCRBY", 2)
    def increase(self, key: Value, by: Value) -> Any:
        name = bytes(key)
        total = number(bytes(self.store.get(name) or b"0")) + number(bytes(by))
        if not -(2**63) <= total < 2**63:
            return NOT_AN_INTEGER
        self.store.put(name, b"%d" % total, end=self.store.ends.get(name))
        return total

    @command("INCR", 1)
    def increase_by_one(self, key: Value) -> Any:
        return self.increase(key, b"1")

    # Keys.

    @command("EXPIRE", 2)
    def expire(self, key: Value, seconds: Value) -> Any:
        if self.store.get(bytes(key)) is None:
            return 0
        self.store.ends[bytes(key)] = time.monotonic() + number(bytes(seconds))
        return 1

    @command("TTL", 1)
    def seconds_left(self, key: Value) -> Any:
        if self.store.get(bytes(key)) is None:
            return -2
        end = self.store.ends.get(bytes(key))
        return -1 if end is None else math.ceil(end - time.monotonic())

    @command("KEYS", 1)
    def keys(self, pattern: Value) -> Any:
        return [key for key in self.store.live_keys() if fnmatch.fnmatchcase(key, bytes(pattern))]

    @command("DBSIZE")
    def size(self) -> Any:
        return len(self.store.live_keys())

    @command("FLUSHDB", 0, 1)
    def flush(self, how: Value = b"") -> Any:
        self.store.values.clear()
        self.store.ends.clear()
        return "OK"
