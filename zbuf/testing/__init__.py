"""The public test kit: what zbuf's own tests use, for the tests of people who write codecs and handlers.

Owns    the re-exports of its files.
Never   pytest, which only the plug-in may import; anything the library itself needs to run.
Always  every name here works in a plain assert, with no event loop and no socket; `ScriptedSocket` alone wants a loop
        for its channel, and still no socket."""

from zbuf.testing._check_decoder import check_decoder
from zbuf.testing._copy_budget import copy_budget
from zbuf.testing._embedded import EmbeddedChannel
from zbuf.testing._scripted_socket import ScriptedCall, ScriptedSocket
from zbuf.testing._shapes import shapes

__all__ = [
    "EmbeddedChannel",
    "ScriptedCall",
    "ScriptedSocket",
    "check_decoder",
    "copy_budget",
    "shapes",
]
