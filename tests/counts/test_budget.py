"""Every public operation on buffers keeps its budget: bytes copied, blocks leased, requests for memory. Never time.

Owns    the comparison with budget.toml, and that no public name is without a row.
Never   a clock; an expectation that is not in the file.
Always  a difference in either direction fails: doing better changes the file, in the same commit."""

import importlib
import inspect
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counts import _budget
from tests.counts.__main__ import measure
from tests.counts._budget import Budget, Row, differences, merge
from tests.counts._counting import Cost, Meter, build
from tests.counts._operations import COMPOSITE, HAS_NUMPY, OF_NUMPY, ONE_PIECE, POOL, operations
from zbuf import ByteBuf, CompositeByteBuf, _form

BUDGET = _budget.read(_budget.FILE.read_text())
RELEASE = platform.python_version()
ADVICE = "`python -m tests.counts` writes the budget of this form and Python, `python -m nox -s budget` all of them"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The C counter, or None without a compiler."""
    return build(tmp_path_factory.mktemp("counter"))


@pytest.fixture(scope="module")
def costs(library: Path | None) -> dict[str, dict[str, Cost]]:
    """What everything costs here."""
    return measure(library)


def test_no_operation_costs_more_than_its_budget(costs: dict[str, dict[str, Cost]]) -> None:
    """No more bytes copied, no more blocks, no more requests for memory, and no other reason for a copy."""
    worse, _ = differences(BUDGET, costs, _form.form(), RELEASE)
    assert not worse, "\n".join([*worse, ADVICE])


def test_no_operation_costs_less_than_its_budget(costs: dict[str, dict[str, Cost]]) -> None:
    """A change for the better belongs into the file, so that it cannot be lost again unseen."""
    _, better = differences(BUDGET, costs, _form.form(), RELEASE)
    assert not better, "\n".join([*better, ADVICE])


def test_requests_are_counted_here(library: Path | None) -> None:
    """The figures of this form and this Python are in the file, and can be counted."""
    if library is None:
        pytest.skip("no C compiler: requests to Python's allocator are not counted")
    python = ".".join(RELEASE.split(".")[:2])
    if python not in BUDGET.releases:
        pytest.skip(f"the budget has no figures for Python {python}")
    form = _form.form()
    assert [] == [
        f"{table}: {name}"
        for table, rows in BUDGET.tables.items()
        for name, row in rows.items()
        if name not in OF_NUMPY and python not in row.requests.get(form, {})
    ]


NOT_COUNTED = {
    "send_from()": "takes a socket; the transport's counts are in test_outbound_counts.py",
    "recv_into()": "the same",
}


def public_names() -> Iterator[str]:
    """What must have a row: methods, properties and functions of the buffers and of what makes and reads them."""
    for cls in (ByteBuf, CompositeByteBuf):
        yield from (name for name in dir(cls) if not name.startswith("_"))
    for module in ("zbuf.buffer", "zbuf.io"):
        room = importlib.import_module(module)
        for name in room.__all__:
            obj = getattr(room, name)
            if inspect.isclass(obj):
                yield from (f"{name}.{member}" for member in _members(obj))
            elif callable(obj):
                yield f"{name}()"


def _members(cls: type) -> Iterator[str]:
    """Public members that a class of zbuf defines; buffers and protocols aside."""
    if issubclass(cls, ByteBuf) or getattr(cls, "_is_protocol", False):
        return
    for base in cls.__mro__:
        if base.__module__.startswith("zbuf"):
            yield from (name for name in vars(base) if not name.startswith("_"))


def test_every_public_name_has_a_row() -> None:
    """A new method, property or function of the buffers fails here until its cost is written down."""
    rows = {name for table in BUDGET.tables.values() for name in table}
    spelled = rows | {name.partition(" ")[0].rstrip(",") for name in rows}
    assert [] == sorted(set(public_names()) - spelled - set(NOT_COUNTED))


def test_every_operation_of_a_plain_buffer_is_measured_on_a_composite_too() -> None:
    """What only one piece can do is named as such."""
    flat, composite = set(operations()["flat"]), set(operations()["composite"])
    assert set(ONE_PIECE) - (set() if HAS_NUMPY else OF_NUMPY) == flat - composite
    assert set(COMPOSITE) == composite - flat


def test_budget_names_exactly_the_operations_there_are() -> None:
    """A row that nothing measures would promise something."""
    left_out = set() if HAS_NUMPY else OF_NUMPY
    expected = {table: list(rows) for table, rows in operations().items()}
    assert expected == {table: [row for row in rows if row not in left_out] for table, rows in BUDGET.tables.items()}


def test_budget_file_is_as_the_command_writes_it() -> None:
    """Reading and writing changes nothing: no figure was put in by hand in a form of its own."""
    assert _budget.FILE.read_text() == _budget.write(BUDGET)


def test_counter_counts_requests_and_nothing_else(library: Path | None) -> None:
    """A bytes object is one request, an existing object none, two objects two."""
    if library is None:
        pytest.skip("no C compiler: requests to Python's allocator are not counted")
    meter = Meter(POOL, library)
    data, keep = bytes(100), []
    cases = {"nothing": lambda b, o: data, "one": lambda b, o: data[1:], "two": lambda b, o: (data[1:], data[2:])}
    counted = {name: meter.cost(lambda: (None, keep), act).allocations for name, act in cases.items()}
    assert {"nothing": 0, "one": 1, "two": 2} == counted


def test_meter_reports_copies_and_blocks_of_one_call() -> None:
    """Not of sixteen, and nothing that was done to make the arguments."""
    meter = Meter(POOL, None)

    def make() -> tuple[ByteBuf, None]:
        buf = POOL.buffer(64)
        buf.write_bytes(bytes(64))
        return buf, None

    assert Cost({"copy": 64}, 1, None) == meter.cost(make, lambda b, o: b.copy())
    assert Cost({"tobytes": 64}, 0, None) == meter.cost(make, lambda b, o: bytes(b))
    assert Cost({}, 0, None) == meter.cost(make, lambda b, o: b.slice())


def test_meter_refuses_an_operation_that_costs_now_this_now_that() -> None:
    """An average would hide it."""
    turn = iter(range(1000))
    meter = Meter(POOL, None)
    with pytest.raises(AssertionError, match="do not all cost"):
        meter.cost(lambda: (None, None), lambda b, o: POOL.buffer(64) if next(turn) % 3 else None)


ROWS = {"flat": {"a": Row({"copy": 8}, 1, {"compiled": {"3.12": 2}}), "b": Row()}}
COUNTED = Budget({"3.12": "3.12.1"}, ROWS)


@pytest.mark.parametrize(
    ("cost", "release", "expected"),
    [
        (Cost({"copy": 8}, 1, 2), "3.12.1", ([], [])),
        (Cost({"copy": 9}, 1, 2), "3.12.1", (["flat: a copies {'copy': 9}, not {'copy': 8}"], [])),
        (Cost({"grow": 1}, 1, 2), "3.12.1", (["flat: a copies {'grow': 1}, not {'copy': 8}"], [])),
        (Cost({}, 1, 2), "3.12.1", ([], ["flat: a copies {}, not {'copy': 8}"])),
        (Cost({"copy": 8}, 2, 2), "3.12.1", (["flat: a leases 2, not 1"], [])),
        (Cost({"copy": 8}, 0, 2), "3.12.1", ([], ["flat: a leases 0, not 1"])),
        (Cost({"copy": 8}, 1, 3), "3.12.1", (["flat: a requests memory 3 times, not 2"], [])),
        (Cost({"copy": 8}, 1, 3), "3.12.9", (["flat: a requests memory 3 times, not 2"], [])),
        (Cost({"copy": 8}, 1, 1), "3.12.1", ([], ["flat: a requests memory 1 times, not 2"])),
        (Cost({"copy": 8}, 1, 1), "3.12.9", ([], [])),
        (Cost({"copy": 8}, 1, 9), "3.14.0", ([], [])),
        (Cost({"copy": 8}, 1, None), "3.12.1", ([], [])),
    ],
)
def test_differences_are_named_by_their_direction(
    cost: Cost, release: str, expected: tuple[list[str], list[str]]
) -> None:
    """More of anything is worse, less is better; fewer requests on another release of CPython are its own doing."""
    assert expected == differences(COUNTED, {"flat": {"a": cost}}, "compiled", release)


def test_operation_without_a_row_is_a_difference() -> None:
    """What was never budgeted is named."""
    assert (["flat: c has no budget"], []) == differences(COUNTED, {"flat": {"c": Cost({}, 0, 0)}}, "compiled", RELEASE)


def test_merge_fills_in_one_form_and_python_and_keeps_the_others() -> None:
    """Six runs, one for each form and Python, build up one file; rows that are gone go."""
    merged = merge(COUNTED, {"flat": {"a": Cost({"copy": 7}, 2, 5)}}, "interpreted", "3.13.2")
    assert {"3.12": "3.12.1", "3.13": "3.13.2"} == merged.releases
    assert {"a": Row({"copy": 7}, 2, {"compiled": {"3.12": 2}, "interpreted": {"3.13": 5}})} == merged.tables["flat"]
    again = merge(merged, {"flat": {"a": Cost({"copy": 7}, 2, 6)}}, "interpreted", "3.12.1")
    assert {"3.12": 6, "3.13": 5} == again.tables["flat"]["a"].requests["interpreted"]
    text = _budget.write(again)
    assert '"a" = { copied = { copy = 7 }, blocks = 2, compiled = { "3.12" = 2 }, ' in text
    assert again == _budget.read(text)
