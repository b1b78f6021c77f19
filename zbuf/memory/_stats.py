"""The figures of an allocator.

Owns    the record. Never how it is counted. Always reserved == live + cached.
"""

from dataclasses import dataclass

__all__ = ["PoolStats"]


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What an allocator holds, in blocks and bytes.

    `live`: held by somebody; `cached`: waiting for the next lease; `reserved`: both together. `hits` and `misses`
    count leases served from the cache and by fresh memory; `dropped` counts blocks that came back and were freed
    because they are too large to be kept or would have exceeded the bound. Blocks are counted with the size they
    have, which may be more than was asked for. Of the reserved bytes `hugetlb_bytes` lie on huge pages that the
    system keeps for those who ask, and for `thp_bytes` transparent huge pages were asked for, which the kernel gives
    when it can.
    """

    live_blocks: int
    live_bytes: int
    cached_bytes: int
    reserved_bytes: int
    hits: int
    misses: int
    dropped: int = 0
    hugetlb_bytes: int = 0
    thp_bytes: int = 0
