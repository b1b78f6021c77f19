"""The inbox by itself.

Owns    the promises of put, take, wait, end and discard.
Never   a channel: see test_channel_read.py.
Always  every message goes to exactly one taker."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tests.transport.kit import on_loop, turns
from zbuf.buffer import buffer
from zbuf.transport._inbox import Inbox


def make(limit: int = 4) -> tuple[Inbox, list[int]]:
    """An inbox on the running loop, and a list that grows whenever it has room again."""
    room: list[int] = []
    return Inbox(asyncio.get_running_loop(), limit, lambda: room.append(1)), room


def test_a_message_after_the_end_is_released() -> None:
    """Nobody would ever take it."""

    async def main() -> None:
        inbox, _ = make()
        inbox.end(None)
        buf = buffer(8)
        inbox.put(buf)
        assert 0 == buf.refcnt
        assert not await inbox.wait()

    on_loop(main)


def test_only_the_first_end_counts() -> None:
    """A failure after a clean end changes nothing."""

    async def main() -> None:
        inbox, _ = make()
        inbox.end(None)
        inbox.end(ValueError())
        assert inbox.failure is None

    on_loop(main)


def test_room_is_told_when_it_has_emptied_out() -> None:
    """Not at each message: reading goes on when a quarter is left, and at the latest when nothing is."""

    async def main() -> None:
        inbox, room = make(8)
        for k in range(8):
            inbox.put(k)
        assert inbox.is_full
        for _ in range(5):
            inbox.take()
        assert [] == room
        inbox.take()
        assert [1] == room

    on_loop(main)


@given(st.lists(st.sampled_from(["put", "take", "cancel", "turn"]), max_size=40))
def test_every_message_goes_to_exactly_one_taker(acts: list[str]) -> None:
    """Takers come, wait and are cancelled at any moment: all messages arrive, in order, none twice."""

    async def main() -> None:
        inbox, _ = make(1000)
        taken: list[int] = []
        takers: list[asyncio.Task[None]] = []
        count = 0

        async def take() -> None:
            if await inbox.wait():
                taken.append(inbox.take())

        for act in acts:
            if act == "put":
                inbox.put(count)
                count += 1
            elif act == "take":
                takers.append(asyncio.create_task(take()))
            elif act == "cancel" and takers:
                takers.pop().cancel()
            elif act == "turn":
                await turns(1)
        await turns(3)
        waiting = [task for task in takers if not task.done()]
        assert not (waiting and inbox.count), "nobody waits while there is something"
        inbox.end(None)
        while await inbox.wait():
            taken.append(inbox.take())
        await asyncio.gather(*takers)
        assert list(range(count)) == sorted(taken)

    on_loop(main)
