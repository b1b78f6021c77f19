"""`python -m benchmarks.flow._metered_server CPU`: the length-field echo, with a meter that can be switched meanwhile.

Owns    the life of the server, its answers about what it has spent.
Never   the load.
Always  the lines `on`, `off`, `recording` and `usage` on stdin are answered with one JSON line each, between two turns
        of the loop: what the process has spent so far. The end of stdin ends it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys

from benchmarks import _pin
from benchmarks.against import _zbuf_echo
from zbuf.audit import Recorder, process_account, set_metering

_recorders: list[Recorder] = []


def _obey(line: str) -> str:
    if line in ("on", "off", "recording"):
        set_metering(line != "off")
        while _recorders:
            _recorders.pop().close()
        if line == "recording":
            _recorders.append(Recorder(every=100))
    spent = resource.getrusage(resource.RUSAGE_SELF)
    counted = process_account().snapshot().calls
    return json.dumps({"cpu": spent.ru_utime + spent.ru_stime, "user": spent.ru_utime, "calls": counted})


async def _main() -> None:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def answer() -> None:
        asked = os.read(0, 4096)
        if not asked:
            loop.remove_reader(0)
            ended.set_result(None)
        for line in asked.decode().splitlines():
            print(_obey(line), flush=True)

    port = await _zbuf_echo.serve_framed()
    os.set_blocking(0, False)
    loop.add_reader(0, answer)
    print(json.dumps({"port": port}), flush=True)
    await ended


if __name__ == "__main__":
    _pin.pin(int(sys.argv[1]) if int(sys.argv[1]) >= 0 else None)
    asyncio.run(_main())
