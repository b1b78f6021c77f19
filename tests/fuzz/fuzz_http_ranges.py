"""Any Range field, date or ETag list gives an answer inside the file, never an exception.

python tests/fuzz/fuzz_http_ranges.py -max_total_time=60 tests/fuzz/corpus/http_ranges     (needs atheris)
"""

import sys

from zbuf.protocols.http import UNSATISFIABLE, WHOLE, ByteRange, parse_range
from zbuf.protocols.http._conditions import Validators, evaluate
from zbuf.protocols.http._dates import parse_date

STATE = Validators.of(1000, 1_600_000_000_000_000_000, 7, 1_700_000_000_000_000_000)
CONDITIONS = (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since")


def one_input(data: bytes) -> None:
    """Read `data` as each of the fields; the first byte is the size of the file."""
    size, value = (data[0], data[1:]) if data else (0, b"")
    text = value.decode("latin-1")
    found = parse_range(text, size)
    if isinstance(found, ByteRange):
        assert 0 <= found.first <= found.last < size
    else:
        assert found in (WHOLE, UNSATISFIABLE)
    parse_date(text, 1_700_000_000)
    for name in CONDITIONS:
        assert evaluate({name: value}, STATE, 1_700_000_000) in (200, 304, 412)


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
