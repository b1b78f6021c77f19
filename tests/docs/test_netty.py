"""The page for people who come from Netty names what is there, and everything the buffers have."""

import builtins
import importlib
import re
from collections.abc import Iterator

from tests.docs._running import DOCS
from zbuf import ByteBuf, CompositeByteBuf

PAGE = (DOCS / "netty.md").read_text()
ADDRESSES = [re.split(r"[( ]", line)[0] for line in (DOCS / "api.txt").read_text().splitlines()]
NAME = re.compile(r"([A-Za-z]\w*(?:\.\w+)*)(\(.*\))?")


def rows() -> Iterator[tuple[str, list[str]]]:
    """Each row of each table that has three columns or more: the heading above it and its cells."""
    heading = ""
    for line in PAGE.splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line.startswith("| ") and not set(line) <= set("|- "):
            yield heading, [cell.strip() for cell in line.strip().strip("|").split("|")]


def spans(text: str) -> list[str]:
    """What stands in backticks, programs aside."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))


def named() -> Iterator[tuple[str, str]]:
    """Yield heading and name for everything that a column of zbuf's names says is there."""
    for heading, (_netty, *cells) in rows():
        ours = cells if heading == "Numbers" else cells[:1]
        for span in (span for cell in ours for span in spans(cell)):
            found = NAME.fullmatch(span)
            if found and not hasattr(builtins, found[1].partition(".")[0]):
                yield heading, found[1]


def is_public(name: str) -> bool:
    """Whether a name stands for something: a buffer's method, a name of a room, a public class's member, a module."""
    owner, _, last = name.rpartition(".")
    if owner:
        return any(f".{address}".endswith(f".{owner}") and has(address, last) for address in ADDRESSES) or any(
            address == name or address.startswith(f"{name}.") for address in ADDRESSES
        )
    parents = [address.rpartition(".")[0] for address in ADDRESSES if address.rpartition(".")[2] == name]
    return any(not parent.rpartition(".")[2][:1].isupper() or parent.endswith("ByteBuf") for parent in parents)


def has(address: str, member: str) -> bool:
    """Whether a public class has a member, be it a base's."""
    module, _, name = address.rpartition(".")
    home = importlib.import_module(module) if module[:1].islower() and not re.search(r"\.[A-Z]", module) else None
    return f"{address}.{member}" in ADDRESSES or hasattr(getattr(home, name, None), member)


def test_names_in_the_tables_are_there() -> None:
    """What the page says zbuf calls something is a public name of zbuf."""
    assert [] == sorted({f"{heading}: {name}" for heading, name in named() if not is_public(name)})


def test_every_public_name_of_the_buffers_stands_on_the_page() -> None:
    """Methods and properties of every shape: a new one needs its row here, with what Netty calls it."""
    said = set(re.findall(r"\w+", " ".join(spans(PAGE))))
    public = {name for cls in (ByteBuf, CompositeByteBuf) for name in dir(cls) if not name.startswith("_")}
    assert [] == sorted(public - said)


def test_every_name_of_the_buffer_room_stands_on_the_page() -> None:
    """Functions, allocators and helpers as well."""
    said = set(re.findall(r"\w+", " ".join(spans(PAGE))))
    room = {address.split(".")[2] for address in ADDRESSES if re.match(r"zbuf\.buffer\.\w+$", address)}
    assert "wrap" in room
    assert [] == sorted(room - said)


def test_page_checks_would_notice_a_name_that_is_not_there() -> None:
    """The check is not blind: names that nothing has are refused, bare and with an address."""
    for name in ("retained_slice", "ByteBuf.mark_reader_index", "zbuf.io.nothing", "Channel.deregister"):
        assert not is_public(name), name
    for name in ("read_int", "Pool", "Channel.write", "zbuf.codec.Decoder", "zbuf.memory", "TooLongFrameError"):
        assert is_public(name), name
    assert len(list(named())) > 300
