"""Who still holds this block? A session keeps one small frame out of each large read, and the ledger says so."""

from zbuf import ByteBuf, Pool
from zbuf.memory import ledger


class Session:
    """Keeps the last frame it saw."""

    def __init__(self, frame: ByteBuf) -> None:
        self.last_frame = frame


def receive(pool: Pool) -> Session:
    """Take a 10-byte frame out of a 64 KiB read, and let go of the read."""
    with pool.buffer(65536) as buf:
        buf.write_bytes(b"x" * 65536)
        return Session(buf.read_slice(10))


def main() -> None:
    """Show what three frames of 10 bytes pin, and what compact() makes of it."""
    pool = Pool()
    with ledger.keeping():
        sessions = [receive(pool) for _ in range(3)]
        print(f"{pool.statistics().live_bytes} bytes live, for {sum(len(s.last_frame) for s in sessions)} in use")
        lease = ledger.live()[0]
        print(f"leased in {lease.born.function}, held by {lease.holders}: a {lease.handles[0][0]}")
        print(lease.held_by()[0].rpartition(": ")[2])
        for session in sessions:
            session.last_frame.compact()
        print(f"{pool.statistics().live_bytes} bytes live after compact()")
        for session in sessions:
            session.last_frame.release()
        print(ledger.report())


if __name__ == "__main__":
    main()
