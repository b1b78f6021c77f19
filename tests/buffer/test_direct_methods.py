"""The methods of the four buffer classes as Python sees them: what they are called with, and how directly.

Owns    signatures in both forms; the plain descriptors by which CPython calls compiled methods without detours.
Never   what a method does.
Always  the source is the oracle for signatures: its text, not what was made of it."""

from __future__ import annotations

import ast
import inspect
import types
from pathlib import Path
from typing import Any

import pytest

import zbuf
from zbuf import ByteBuf, CompositeByteBuf, SlicedByteBuf, WrappedByteBuf, _form
from zbuf.testing import shapes

CLASSES = (ByteBuf, SlicedByteBuf, WrappedByteBuf, CompositeByteBuf)
ROOM = Path(zbuf.__file__).parent / "buffer"


def parameters_in_the_source() -> dict[tuple[str, str], list[str]]:
    """Class and method to the parameters as written, with their stars and defaults told apart from none."""
    found = {}
    for path in ROOM.glob("_*.py"):
        for cls in ast.parse(path.read_text()).body:
            for act in cls.body if isinstance(cls, ast.ClassDef) else ():
                if isinstance(act, ast.FunctionDef) and not act.decorator_list:
                    found[cls.name, act.name] = written(act.args)
    return found


def written(args: ast.arguments) -> list[str]:
    """The parameters of one method; `?` marks a default."""
    first_default = len(args.args) - len(args.defaults)
    names = [arg.arg + ("?" if k >= first_default else "") for k, arg in enumerate(args.args)]
    names += [f"*{args.vararg.arg}"] if args.vararg else []
    return names + [
        f"{arg.arg}={'?' if default else ''}" for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
    ]


def seen(method: Any) -> list[str]:
    """The same, as `inspect` reads it off the object."""
    names = []
    for parameter in inspect.signature(method).parameters.values():
        default = "" if parameter.default is parameter.empty else "?"
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        keyword = "=" if parameter.kind is parameter.KEYWORD_ONLY else ""
        names.append(f"{star}{parameter.name}{keyword}{default}")
    return names


def methods(cls: type) -> dict[str, Any]:
    """The public methods of a class, inherited ones included."""
    listed = {name: inspect.getattr_static(cls, name) for name in dir(cls) if not name.startswith("_")}
    return {name: found for name, found in listed.items() if inspect.isroutine(found)}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_method_has_the_signature_of_the_source(cls: type) -> None:
    """Names, order, defaults and stars, in either form: help(), editors and mocks rely on them."""
    source = parameters_in_the_source()
    found = methods(cls)
    assert len(found) > 150
    for name, method in found.items():
        owner = next(base.__name__ for base in cls.__mro__ if (base.__name__, name) in source)
        assert seen(method) == source[owner, name], name
        assert inspect.getdoc(method), name


@pytest.mark.skipif(_form.FORM != _form.COMPILED, reason="the interpreted form has functions")
@pytest.mark.parametrize("cls", CLASSES)
def test_every_compiled_method_is_called_without_detours(cls: type) -> None:
    """A plain descriptor of exactly this class, not of a base: only then does CPython's specialised call fit."""
    for name, method in methods(cls).items():
        assert type(method) is types.MethodDescriptorType, name
        assert method.__objclass__ is cls, name


def test_methods_are_called_by_position_and_by_name() -> None:
    """Whatever they are made of, arguments have names; too many, too few and unknown ones are TypeErrors."""
    for buf in shapes(b"12345678").values():
        first = buf.reader_index
        assert buf.get_int(index=first) == buf.get_int(first) == 0x31323334
        assert bytes(buf.slice(length=2)) == b"12"
        assert type(buf).get_short(buf, first) == 0x3132
        for call in (
            lambda b: b.get_int(), lambda b: b.get_int(0, 0), lambda b: b.get_int(place=0), lambda b: b.read_int(1),
        ):  # fmt: skip
            with pytest.raises(TypeError):
                call(buf)
        with pytest.raises((TypeError, AttributeError)):  # the interpreted form looks for the fields
            type(buf).get_int(5, 0)  # type: ignore[arg-type]  # the point: no buffer at all
        buf.release()
