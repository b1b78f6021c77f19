"""The text that Prometheus scrapes, read by a parser that accepts nothing but the format.

Owns    the promises of prometheus(), and the parser (text format 0.0.4).
Never   a server.
Always  each text of these tests goes through the parser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from zbuf.audit import PROMETHEUS_CONTENT_TYPE, Account, Bill, CopyReason, Count, Evidence, Move, Verdict, prometheus

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
SAMPLE = re.compile(rf"({NAME.pattern})(?:\{{({LABEL.pattern}(?:,{LABEL.pattern})*)\}})? (\d+)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Labels = frozenset[tuple[str, str]]


@dataclass
class Family:
    """One metric with its samples."""

    explanation: str
    kind: str = ""
    samples: dict[Labels, int] = field(default_factory=dict)


def parse(text: str) -> dict[str, Family]:
    """Read the text format strictly: HELP, TYPE, samples of that name, one block for each name, no sample twice."""
    assert text.encode("utf-8")
    assert text.endswith("\n") and not text.endswith("\n\n")
    families: dict[str, Family] = {}
    current = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, current, explanation = line.split(" ", 3)
            assert NAME.fullmatch(current) and current not in families, line
            assert not re.search(r"\\(?![\\n])", explanation), line
            families[current] = Family(explanation)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and not families[name].kind and not families[name].samples, line
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
            families[name].kind = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] == current and families[current].kind, line
            labels = list(pairs(found[2] or ""))
            assert len({name for name, _ in labels}) == len(labels), line
            assert frozenset(labels) not in families[current].samples, line
            families[current].samples[frozenset(labels)] = int(found[SAMPLE.groups])
    return families


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The labels of a sample, unescaped."""
    for found in LABEL.finditer(text):
        yield found[1], re.sub(r'\\[\\"n]', lambda escape: ESCAPES[escape[0]], found[2])


def labelled(**labels: str) -> Labels:
    """A set of labels."""
    return frozenset(labels.items())


BILL = Bill(
    user={CopyReason.GROW: Count(2, 300)},
    kernel={"send": Move(3, 1000, 4), "sendfile": Move(1, 1 << 70, 1)},
    kernel_copied={"sendfile": Verdict.SHARED},
    wire_in=12,
    wire_out=6000,
)
OURS = "self-reported"


def test_every_figure_of_a_bill_is_a_sample_of_a_counter() -> None:
    """Values, labels, and who vouches for them; what the kernel copies unasked is unknown."""
    families = parse(prometheus(BILL))
    assert {"counter"} == {family.kind for family in families.values()}
    assert all(name.startswith("zbuf_") and name.endswith("_total") for name in families)
    assert {name: family.samples for name, family in families.items()} == {
        "zbuf_wire_received_bytes_total": {labelled(evidence=OURS): 12},
        "zbuf_wire_sent_bytes_total": {labelled(evidence=OURS): 6000},
        "zbuf_user_copies_total": {labelled(reason="grow", evidence=OURS): 2},
        "zbuf_user_copied_bytes_total": {labelled(reason="grow", evidence=OURS): 300},
        "zbuf_system_calls_total": {
            labelled(call="send", evidence=OURS): 3,
            labelled(call="sendfile", evidence=OURS): 1,
        },
        "zbuf_system_call_bytes_total": {
            labelled(call="send", evidence=OURS): 1000,
            labelled(call="sendfile", evidence=OURS): 1 << 70,
        },
        "zbuf_system_call_pieces_total": {
            labelled(call="send", evidence=OURS): 4,
            labelled(call="sendfile", evidence=OURS): 1,
        },
        "zbuf_kernel_moved_bytes_total": {
            labelled(call="send", copied="unknown", evidence="unknown"): 1000,
            labelled(call="sendfile", copied="shared", evidence="kernel-reported"): 1 << 70,
        },
    }


def test_b188_labels_of_evidence_are_those_of_the_lines() -> None:
    """Probed and witnessed lines say so."""
    bill = BILL.with_verdicts({"send": Verdict.COPIED}).with_evidence({"user": Evidence.WITNESSED})
    families = parse(prometheus(bill))
    moved = families["zbuf_kernel_moved_bytes_total"].samples
    assert 1000 == moved[labelled(call="send", copied="copied", evidence="probed")]
    assert 2 == families["zbuf_user_copies_total"].samples[labelled(reason="grow", evidence="witnessed")]


def test_bills_by_label_are_samples_with_that_label() -> None:
    """One block for each name, whatever the number of bills; every odd label comes back as it was."""
    names = ["", "plain", 'a "quoted" one', "back\\slash", "two\nlines", "\\n", "{},=", "höhe \U0001f600"]
    families = parse(prometheus({name: Bill(wire_in=at) for at, name in enumerate(names)}))
    found = families["zbuf_wire_received_bytes_total"].samples
    assert found == {labelled(label=name, evidence=OURS): at for at, name in enumerate(names)}


def test_a_label_that_has_no_utf8_is_still_a_text() -> None:
    """A lone surrogate, as from a file name, becomes an escape."""
    families = parse(prometheus({"\udc80": Bill(wire_in=1)}))
    assert [frozenset({("label", "\\udc80"), ("evidence", OURS)})] == list(
        families["zbuf_wire_received_bytes_total"].samples
    )


def test_the_process_is_exported_by_default() -> None:
    """Without an argument the counters of everybody; they only grow."""
    sent = "zbuf_wire_sent_bytes_total"
    before = parse(prometheus())[sent].samples[labelled(evidence=OURS)]
    Account().sent(5)
    after = parse(prometheus())[sent].samples[labelled(evidence=OURS)]
    assert 5 <= after - before


@pytest.mark.parametrize("prefix", ["my_app", "a:b", "_x"])
def test_the_prefix_stands_before_every_name(prefix: str) -> None:
    """Names and blocks stay valid."""
    assert all(name.startswith(prefix + "_") for name in parse(prometheus(BILL, prefix)))


@pytest.mark.parametrize("prefix", ["", "9a", "a-b", "a b", "ä", "a\n"])
def test_a_prefix_that_no_name_begins_with_is_a_value_error(prefix: str) -> None:
    """Before anything is scraped and refused."""
    with pytest.raises(ValueError, match="metric"):
        prometheus(BILL, prefix)


def test_the_content_type_names_the_version_of_the_format() -> None:
    """What a server has to answer with."""
    assert "text/plain; version=0.0.4; charset=utf-8" == PROMETHEUS_CONTENT_TYPE


@pytest.mark.parametrize(
    "text",
    [
        "x 1\n",
        "# HELP x y\nx 1\n",
        "# HELP x y\n# TYPE x counter\nz 1\n",
        "# HELP x y\n# TYPE x counter\nx 1\nx 1\n",
        '# HELP x y\n# TYPE x counter\nx{a="\\q"} 1\n',
        '# HELP x y\n# TYPE x counter\nx{a="b",a="c"} 1\n',
        "# HELP x y\n# TYPE x count\nx 1\n",
        "# HELP x y\n# TYPE x counter\nx 1",
        "# HELP x y\n# TYPE x counter\nx 1.0.0\n",
    ],
)
def test_the_parser_of_these_tests_refuses_what_is_not_the_format(text: str) -> None:
    """It would see a mistake."""
    with pytest.raises(AssertionError):
        parse(text)
