"""The figures of an allocator.

Owns    the record. Never how it is counted. Always reserved == live + cached.
"""

from dataclasses import dataclass

__all__ = ["PoolStats"]


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What an allocator holds, in blocks and bytes.

    `live`: held by somebody; `cached`: waiting for the next lease; `reserved`: both together. `hits` and `misses`
    count leases served from the cache and by fresh memory. Blocks are counted with the size they have, which may be
    more than was asked for.
    """

    live_blocks: int
    live_bytes: int
    cached_bytes: int
    reserved_bytes: int
    hits: int
    misses: int
