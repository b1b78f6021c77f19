"""The reference: a directive that documents a room, and a reader for the house's docstrings.

Owns    `.. room:: zbuf.buffer` (everything its `__all__` promises), and the translation of docstrings to what Sphinx
        reads.
Never   a list of names: what the room promises is what the page shows.
Always  a class that extends another class of the same room shows only what it adds.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from typing import Any

from c_only import is_c_only
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOREIGN = "BaseException,object,Generic,Protocol,tuple,int,str,Enum,dict"  # whose members are not ours to explain

LABELS = (
    "Always|Cost|Example|Examples|Exports|Limits|Never|Note|Order|Owns|Ownership|Raises|Returns|Shape|Shapes|Source"
    "|Units|Yields"
)
LABEL = re.compile(rf"^({LABELS})(?::\s+|\s{{2,}})(.*)$")
CODE = re.compile(r"(:[a-z:]+:`[^`]+`|``.+?``|`[^`]+`)")


class Room(SphinxDirective):
    """Document everything that a module promises in `__all__`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the autodoc directives and let Sphinx read them."""
        name = self.arguments[0]
        module = importlib.import_module(name)
        promised = {exported: getattr(module, exported) for exported in module.__all__}
        lines = [f".. automodule:: {name}", "   :no-members:", ""]
        for kind in ("class", "exception", "function", "data"):
            for exported, obj in promised.items():
                if kind_of(obj) == kind:
                    lines += entry(kind, f"{name}.{exported}", obj, promised)
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, name), self.content_offset, parent)
        return parent.children


def kind_of(obj: object) -> str:
    """Return which autodoc directive fits."""
    if inspect.isclass(obj):
        return "exception" if issubclass(obj, BaseException) else "class"
    return "function" if inspect.isroutine(obj) else "data"


def entry(kind: str, address: str, obj: object, promised: dict[str, Any]) -> list[str]:
    """Return the directive for one name."""
    lines = [f".. auto{kind}:: {address}"]
    if kind == "class":
        lines += ["   :members:", "   :show-inheritance:" if extends_one_of(obj, promised) else inherited()]
    elif kind == "exception":
        lines += ["   :show-inheritance:"]
    elif kind == "data":
        lines += ["   :no-value:"]
    return [*lines, ""]


def inherited() -> str:
    """Return the option that takes in what private bases define."""
    return f"   :inherited-members: {FOREIGN}"


def extends_one_of(obj: Any, promised: dict[str, Any]) -> bool:
    """Say whether a base of this class is documented on the same page."""
    return any(base in promised.values() for base in obj.__mro__[1:] if inspect.isclass(base))


def escape(text: str) -> str:
    """Return prose in which only code is marked up: a star or a bar in a docstring is a star or a bar."""
    out = []
    for part in CODE.split(text):
        if CODE.fullmatch(part):
            out.append(part if part.startswith((":", "``")) else f"`{part}`")
        else:
            part = re.sub(r"([\\*|`])", r"\\\1", part)
            out.append(re.sub(r"(\w)_(?=\W|$)", r"\1\\_", part))
    return "".join(out)


def blocks(lines: list[str]) -> list[list[str]]:
    """Return the docstring cut at its empty lines."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def paragraphs(block: list[str]) -> list[str]:
    """Return the paragraphs of a block: a label or a bullet starts a new one, anything else continues."""
    texts: list[str] = []
    for line in block:
        label = LABEL.match(line)
        if label:
            texts.append(f"**{label[1]}:** {escape(label[2])}")
        elif re.match(r"\s*[-*] ", line):
            texts.append(f"- {escape(line.strip()[2:])}")
        elif texts and texts[-1].startswith("- ") and not line.startswith(" "):
            texts.append(escape(line.strip()))
        elif texts:
            texts[-1] += f" {escape(line.strip())}"
        else:
            texts.append(escape(line.strip()))
    return texts


def translate(lines: list[str]) -> list[str]:
    """Return reStructuredText that shows the docstring as it was meant."""
    out: list[str] = []
    for block in blocks(lines):
        if block[0].lstrip().startswith(">>>"):
            margin = len(block[0]) - len(block[0].lstrip())
            out += [line[margin:] for line in block] + [""]
        elif all(line.startswith("  ") for line in block):
            out += ["::", "", *(f"    {line}" for line in block), ""]
        else:
            for text in paragraphs(block):
                out += [text, ""]
    return out


def process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Replace a docstring's lines in place, as autodoc wants it."""
    lines[:] = translate(lines)


def leave_out(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: object) -> bool | None:
    """Leave out what only C code can reach in the compiled form; anything else is autodoc's decision."""
    qualified = getattr(obj, "__qualname__", "").split(".")
    home = getattr(sys.modules.get(getattr(obj, "__module__", "")), qualified[0], None)
    if len(qualified) == 2 and inspect.isclass(home) and is_c_only(home, qualified[1]):
        return True
    return None


def plain_defaults(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None] | None:
    """Show the default of a dataclass's field made by a factory as `...`: `<factory>` reads as markup."""
    if signature is None or "<factory>" not in signature:
        return None
    return signature.replace("<factory>", "..."), returned


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx what is here."""
    app.add_directive("room", Room)
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-signature", plain_defaults)
    return {"parallel_read_safe": True}
