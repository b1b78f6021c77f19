"""`python -m tests.counts`: measure every operation and write the budget of the form and the Python that run.

python -m tests.counts                 write tests/counts/budget.toml
python -m tests.counts --check         change nothing; name what differs, exit 1 if something does
python -m tests.counts --file PATH     another file
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

import zbuf
from tests.counts import _budget
from tests.counts._counting import Cost, Meter, build
from tests.counts._operations import HAS_NUMPY, OF_NUMPY, POOL, operations
from zbuf import _form


def measure(library: Path | None) -> dict[str, dict[str, Cost]]:
    """Return table -> row -> cost of everything there is, with a default allocator whose counters begin at 0.

    In the interpreted form a counter beyond 256 is an object of its own, and each lease makes two."""
    before = zbuf.default_allocator()
    found: dict[str, dict[str, Cost]] = {}
    try:
        for table, rows in operations().items():
            found[table] = {}
            for name, (act, make) in rows.items():
                zbuf.set_default_allocator(zbuf.Unpooled())
                meter = Meter(POOL, None if name in OF_NUMPY else library)
                found[table][name] = meter.cost(make, act)
    finally:
        zbuf.set_default_allocator(before)
    return found


def main() -> int:
    """Measure, then write or compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.counts")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--file", type=Path, default=_budget.FILE)
    options = parser.parse_args()
    if not HAS_NUMPY:
        parser.error("numpy is not installed: the rows of its arrays would be lost")
    with tempfile.TemporaryDirectory() as place:
        library = build(Path(place))
        if library is None:
            print("requests to Python's allocator are not counted: there is no C compiler", file=sys.stderr)
        costs = measure(library)
    old = _budget.read(options.file.read_text()) if options.file.exists() else _budget.Budget()
    form, release = _form.form(), platform.python_version()
    worse, better = _budget.differences(old, costs, form, release)
    print(f"{form}, CPython {release}: {len(worse)} cost more or are new, {len(better)} cost less")
    print("\n".join([*worse, *better]))
    if options.check:
        return 1 if worse or better else 0
    options.file.write_text(_budget.write(_budget.merge(old, costs, form, release)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
