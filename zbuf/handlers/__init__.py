"""Ready-made handlers: time, flow, logging, chunks. Each does one thing and stands where you put it in a pipeline.

Owns    the re-exports of its files.
Never   sockets, the event loop: time comes from the context, and so do tasks.
Always  built on the public face of `zbuf.pipeline` alone, as a user's own handlers are.
"""

from zbuf.handlers._chunked import ChunkedWriteHandler
from zbuf.handlers._flow import FlowControlHandler
from zbuf.handlers._flushing import FlushConsolidationHandler
from zbuf.handlers._idle import IdleKind, IdleState, IdleStateHandler
from zbuf.handlers._logging import LoggingHandler
from zbuf.handlers._timeouts import ReadTimeoutHandler, WriteTimeoutHandler
from zbuf.handlers._typed import TypedHandler

__all__ = [
    "ChunkedWriteHandler",
    "FlowControlHandler",
    "FlushConsolidationHandler",
    "IdleKind",
    "IdleState",
    "IdleStateHandler",
    "LoggingHandler",
    "ReadTimeoutHandler",
    "TypedHandler",
    "WriteTimeoutHandler",
]
