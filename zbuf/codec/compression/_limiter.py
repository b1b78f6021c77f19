"""The one place that every decompressed byte passes: how much may come out of how little.

Owns    the four bounds (bytes, ratio, members, layers) and what was counted against them.
Never   an algorithm, or bytes; it is told numbers.
Always  decoders ask for `room()` before they let a library produce, so what exceeds a bound by more than one block is
        never made; exactly the bound passes.
"""

from __future__ import annotations

from zbuf.codec._limits import Limits, checked_length
from zbuf.errors import DecompressionLimitError

__all__ = ["OutputLimiter"]

PIECE = 65536  # one receive block: what is asked of a library at once
GRACE = 1 << 20  # arbitrary: below a mebibyte of output no ratio does harm
MOST_MEMBERS = 16  # arbitrary: `cat a.gz b.gz` passes, a million empty members do not
MOST_LAYERS = 2  # arbitrary: a compressed message in a compressed stream


class OutputLimiter:
    """Bounds what decompression produces: `max_decompressed_bytes` and `max_ratio` of `limits`, members, and layers.

    Units: bytes, except `max_ratio` (decompressed bytes for each compressed one, looked at when more than
    `grace_bytes` came out), `max_members` (members, frames and skippable frames of all streams together) and
    `max_layers` (decoders that share this limiter: the output of one is the input of the next).
    A decoder makes its own unless it is given one. Where streams are nested, give all of them the same one: the output
    of all layers counts together, against the input of the outermost, so that 200 times 200 is not allowed by accident.
    Raises: ValueError, TypeError for a bound that is not a positive integer. Source: ours; the lesson of
    CVE-2026-42587, where each algorithm counted for itself and three of four forgot to.

    >>> limiter = OutputLimiter(Limits(max_decompressed_bytes=100))
    >>> limiter.room(), limiter.produced
    (101, 0)
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        max_members: int = MOST_MEMBERS,
        max_layers: int = MOST_LAYERS,
        grace_bytes: int = GRACE,
    ) -> None:
        self.limits: Limits = Limits() if limits is None else limits
        self.max_members: int = checked_length("max_members", max_members)
        self.max_layers: int = checked_length("max_layers", max_layers)
        self.grace_bytes: int = checked_length("grace_bytes", grace_bytes)
        self._layers = 0
        self.reset()

    @property
    def produced(self) -> int:
        """How many bytes came out of all layers, without what was refused."""
        return self._produced

    @property
    def consumed(self) -> int:
        """How many compressed bytes the outermost layer took."""
        return self._consumed

    @property
    def members(self) -> int:
        """How many members or frames were begun."""
        return self._members

    def reset(self) -> None:
        """Begin to count anew; the layers stay."""
        self._produced = self._consumed = self._members = 0

    def enter(self) -> int:
        """Count one more layer and return its number, 0 for the outermost.

        Raises: DecompressionLimitError (max_layers)."""
        if self._layers >= self.max_layers:
            raise _exceeded("layers of compression", "max_layers", self.max_layers, self._layers + 1)
        self._layers += 1
        return self._layers - 1

    def room(self) -> int:
        """Return how many bytes to ask a library for: one piece, or one byte more than may still come out."""
        return min(PIECE, self.limits.max_decompressed_bytes - self._produced + 1)

    def begin_member(self) -> None:
        """Count a member or frame that begins. Raises: DecompressionLimitError (max_members)."""
        if self._members >= self.max_members:
            raise _exceeded("members", "max_members", self.max_members, self._members + 1)
        self._members += 1

    def take(self, layer: int, consumed: int, produced: int) -> tuple[int, DecompressionLimitError | None]:
        """Count what a library took and made; return how much of it may be handed on, and what is wrong with the rest.

        Where the number of bytes is exceeded, what is within it is still handed on, so the same bytes come out
        however the input was cut; where the ratio is exceeded, nothing more is."""
        if layer == 0:
            self._consumed += consumed
        total = self._produced + produced
        allowed = self.limits.max_ratio * self._consumed
        if produced and total > self.grace_bytes and total > allowed:
            what = f"decompressed bytes for each of {self._consumed}"
            return 0, _exceeded(what, "max_ratio", self.limits.max_ratio, -(-total // max(1, self._consumed)))
        most = self.limits.max_decompressed_bytes
        if total > most:
            fits, self._produced = most - self._produced, most
            return fits, _exceeded("decompressed bytes", "max_decompressed_bytes", most, total)
        self._produced = total
        return produced, None

    def __repr__(self) -> str:
        return f"OutputLimiter(consumed={self._consumed}, produced={self._produced}, members={self._members})"


def _exceeded(what: str, limit: str, maximum: int, value: int) -> DecompressionLimitError:
    return DecompressionLimitError(
        f"{value} {what} exceed {limit} {maximum}", limit=limit, maximum=maximum, value=value
    )
