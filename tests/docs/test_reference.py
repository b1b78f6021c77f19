"""The reference has a page for every room, and what the overview of the buffers names is there."""

import re

from tests.docs._running import DOCS
from tests.docs.test_netty import ADDRESSES, NAME, is_public, spans

PAGES = sorted((DOCS / "reference").glob("*.md"))


def rooms_on_pages() -> list[str]:
    """Every room that some page documents."""
    return [room for page in PAGES for room in re.findall(r"^\.\. room:: (\S+)$", page.read_text(), flags=re.MULTILINE)]


def test_every_room_has_one_page() -> None:
    """A page shows everything its room promises; so every public name has its place, once."""
    owners = [address.rpartition(".")[0] for address in ADDRESSES]
    public = {owner for owner in owners if "." in owner and not owner.rpartition(".")[2][:1].isupper()}
    assert sorted(public) == sorted(rooms_on_pages())


def test_overview_of_the_buffers_names_what_is_there() -> None:
    """The tables before the list of names: each name in them is public."""
    page = (DOCS / "reference" / "buffer.md").read_text().partition("## Every name")[0]
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    names = {found[1] for span in spans(table) if (found := NAME.fullmatch(span)) and not span.endswith("_")}
    assert len(names) > 40
    assert [] == sorted(name for name in names if not is_public(name))
