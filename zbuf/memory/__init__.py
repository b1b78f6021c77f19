"""Memory: who owns the bytes.

A `Memory` is one block. It lives as long as anything holds it (a handle, an exported view, a transfer in flight) and
then goes back to the pool it came from. No index, no bounds check lives here; no other room touches raw bytes.
"""

from zbuf.memory._adaptive import AdaptiveSize
from zbuf.memory._ledger import Lease, Ledger, Place, Snapshot, ledger
from zbuf.memory._memory import Memory
from zbuf.memory._pool import BlockPool
from zbuf.memory._stats import PoolStats
from zbuf.memory._unpooled import Blocks

__all__ = [
    "AdaptiveSize",
    "BlockPool",
    "Blocks",
    "Lease",
    "Ledger",
    "Memory",
    "Place",
    "PoolStats",
    "Snapshot",
    "ledger",
]
