"""The same readable bytes in every shape that a handler may be given.

Owns    the list of shapes and how each one is built.
Never   which test uses them; sockets, channels, codecs.
Always  every buffer built from `data` has `bytes(buf) == data`; after a head `reader_index` is 3, else 0."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import cycle
from types import MappingProxyType

from zbuf.buffer import ByteBuf, Pool, buffer, composite, copied, wrap

HEAD = b"\xde\xad\xbe"  # the consumed bytes in front: unlike text, unlike zeros, and of odd length
UNEVEN = (1, 2, 3, 5, 8)  # component sizes that put every width across a border somewhere
SPARE = 7  # room behind the writer index of the pooled shape: capacity and writer index differ
POOL = Pool(max_cached_bytes=1 << 20)  # the pool behind the pooled shape; its statistics show a leaked shape


def _plain(data: bytes) -> ByteBuf:
    return _filled(buffer(len(data)), data)


def _pooled(data: bytes) -> ByteBuf:
    return _filled(POOL.buffer(len(data) + SPARE), data)


def _duplicate(data: bytes) -> ByteBuf:
    return _plain(data).duplicate()


def _slice(data: bytes) -> ByteBuf:
    return _plain(HEAD + data + HEAD).slice(len(HEAD), len(data))


def _wrapped_bytearray(data: bytes) -> ByteBuf:
    return wrap(bytearray(data))


def _wrapped_bytes(data: bytes) -> ByteBuf:
    return wrap(bytes(data))


def _read_only(data: bytes) -> ByteBuf:
    return _plain(data).as_read_only()


def _split(data: bytes) -> ByteBuf:
    return _plain(data + HEAD).split(len(data))


def _unpickled(data: bytes) -> ByteBuf:
    again: ByteBuf = pickle.loads(pickle.dumps(_plain(data), 5))
    return again


def _composite_of_single_bytes(data: bytes) -> ByteBuf:
    return _composite(data[at : at + 1] for at in range(len(data)))


def _composite_of_uneven_parts(data: bytes) -> ByteBuf:
    return _composite(_cut(data, cycle(UNEVEN)))


def _composite_of_two(data: bytes) -> ByteBuf:
    half = (len(data) + 1) // 2
    return _composite((data[:half], data[half:]))


BUILDERS: Mapping[str, Callable[[bytes], ByteBuf]] = MappingProxyType(
    {
        "plain": _plain,
        "pooled": _pooled,
        "duplicate": _duplicate,
        "slice": _slice,
        "wrapped bytearray": _wrapped_bytearray,
        "wrapped bytes": _wrapped_bytes,
        "read-only": _read_only,
        "split half": _split,
        "unpickled": _unpickled,
        "composite of single bytes": _composite_of_single_bytes,
        "composite of uneven parts": _composite_of_uneven_parts,
        "composite of two": _composite_of_two,
    }
)
AFTER_HEAD = " after head"
SHAPE_NAMES = tuple(name + suffix for suffix in ("", AFTER_HEAD) for name in BUILDERS)


def shape(name: str, data: bytes) -> ByteBuf:
    """Build the one shape called `name` (one of SHAPE_NAMES) whose readable bytes are `data`.

    Ownership: copies `data`, but for "wrapped bytes", which looks at the object itself.
    Raises: KeyError for a name that is not in the list. Source: ours."""
    plain_name = name.removesuffix(AFTER_HEAD)
    if plain_name == name:
        return BUILDERS[name](data)
    buf = BUILDERS[plain_name](HEAD + data)
    buf.skip_bytes(len(HEAD))
    return buf


def shapes(data: bytes) -> dict[str, ByteBuf]:
    r"""Build `data` in every shape: a new handle each, under a name that a test report can show.

    Shapes: plain, pooled, duplicate, slice of a larger block, wrapped bytearray, wrapped bytes, read-only view,
    split half, unpickled, composite of 1-byte, of uneven and of two components; then all of them again after a head of
    three bytes that was already consumed (`reader_index == 3`), so that no code gets away with starting at index 0.
    Ownership: the caller owns every handle; none shares memory with another, nor with a live source. The ones
    called "wrapped bytes" and "read-only" refuse writes.
    Cost: `len(data)` bytes a shape, and one component a byte for the composite of single bytes.
    Source: ours, after the six shapes in which okio runs its tests.

    >>> for name, buf in shapes(b"\x00\x2aHi").items():
    ...     assert (buf.read_short(), buf.read_string(2)) == (42, "Hi"), name
    """
    return {name: shape(name, data) for name in SHAPE_NAMES}


def _filled(buf: ByteBuf, data: bytes) -> ByteBuf:
    buf.write_bytes(data)
    return buf


def _composite(pieces: Iterable[bytes]) -> ByteBuf:
    whole = composite()
    for piece in pieces:
        whole.append(copied(piece))
    return whole


def _cut(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = next(sizes)
        yield data[at : at + size]
        at += size
