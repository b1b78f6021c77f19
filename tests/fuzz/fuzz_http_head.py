"""Any bytes give requests, NEED_DATA or a DecodeError; the same however they are cut; limits hold.

python tests/fuzz/fuzz_http_head.py -max_total_time=60 tests/fuzz/corpus/http_head     (needs atheris)
"""

import sys

from zbuf.codec import NEED_DATA, Limits
from zbuf.errors import DecodeError
from zbuf.protocols.http import HttpRequest, HttpRequestDecoder

LIMITS = Limits(max_line_bytes=64, max_header_bytes=128, max_header_count=6)


def decoded(pieces: list[bytes]) -> list[object]:
    """What comes out of these pieces: requests, and the class of the error that ended it."""
    decoder = HttpRequestDecoder(LIMITS)
    found: list[object] = []
    for piece in pieces:
        decoder.feed(piece)
        try:
            for request in decoder:
                look_at(request)
                found.append((request.method, request.target, sorted(request.headers.items()), request.body_bytes))
        except DecodeError as exc:
            found.append(type(exc))
            assert decoder.next() is NEED_DATA
        assert decoder.buffered <= 64 + 128 + 8 + len(piece)
    decoder.leftover().release()
    return found


def look_at(request: HttpRequest) -> None:
    """Assert what every request that comes out has."""
    assert 1 <= len(request.method) and len(request.target) <= 64
    assert all(" " < character <= "~" for character in request.method + request.target)
    assert len(request.headers) <= 6
    for name, value in request.headers.items():
        assert name == name.lower() and name.isascii() and b":" not in name and b" " not in name
        assert not any((byte < 32 and byte != 9) or byte == 127 for byte in value)
    assert request.body_bytes >= -1


def one_input(data: bytes) -> None:
    """Look at one input, whole, in two halves and byte by byte."""
    whole = decoded([data])
    half = len(data) // 2
    assert decoded([data[:half], data[half:]]) == whole
    assert decoded([data[at : at + 1] for at in range(len(data))]) == whole


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
