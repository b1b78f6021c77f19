"""Floor 5: what to send next. It knows no socket: it names the next system call and is told how many bytes went.

`OutboundQueue` holds buffers and regions in order; `next_write()` returns one of the plans below.
"""

from zbuf.outbound._pending import QueueStats
from zbuf.outbound._plan import NOTHING, InlineFile, Nothing, OpenFile, SendBuffers, SendFile
from zbuf.outbound._queue import OutboundQueue

__all__ = ["NOTHING", "InlineFile", "Nothing", "OpenFile", "OutboundQueue", "QueueStats", "SendBuffers", "SendFile"]
