"""A codec compiled by its author against the .pxd files that zbuf ships; the same source runs interpreted.

Owns    docs/examples/compiled_codec, built as its page says.
Never   a time.
Always  both forms of the codec give the same messages and the same errors."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs._running import DOCS, EXAMPLES, ROOT
from zbuf import _form, copied, default_allocator, wrap
from zbuf.errors import CorruptedFrameError, EncodeError
from zbuf.testing import check_decoder, shapes

SOURCE = EXAMPLES / "compiled_codec"
PAYLOADS = [b"", b"x", bytes(range(256)), b"\xff" * 5000]


def loaded(path: Path, name: str) -> ModuleType:
    """The module in this file, as `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command_on_the_page() -> list[str]:
    """The words of the command that the page gives, behind the prompt."""
    text = (DOCS / "howto" / "compile-your-codec.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("$ cythonize ")]
    return line.split()[1:]


@pytest.fixture(scope="module", params=["interpreted", "compiled"])
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The codec, as it is and built with the command on the page."""
    if request.param == "interpreted":
        return loaded(SOURCE / "checked.py", "checked_as_it_is")
    if _form.form() != "compiled":
        pytest.skip("zbuf runs interpreted here: there is nothing to compile against")
    pytest.importorskip("Cython", reason="Cython is not installed")
    place = tmp_path_factory.mktemp("codec")
    for path in SOURCE.iterdir():
        if path.suffix in (".py", ".pxd"):
            shutil.copy(path, place)
    words = command_on_the_page()
    assert words[0] == "cythonize"
    done = subprocess.run(
        [sys.executable, "-m", "Cython.Build.Cythonize", *words[1:]],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = place.glob("checked.*.so")
    module = loaded(built, "checked")
    assert "cython" in type(module.fletcher16).__name__, "the source was loaded, not what was built"
    return module


def encoded(checked: Any, payload: bytes) -> bytes:
    """The bytes of one frame."""
    return b"".join(bytes(part) for part in checked.CheckedEncoder().encode(copied(payload), default_allocator()))


def test_compiled_codec_passes_every_cut(checked: Any) -> None:
    """Whole, byte by byte and cut at random."""
    data = b"".join(encoded(checked, payload) for payload in PAYLOADS)
    check_decoder(checked.CheckedDecoder, data, PAYLOADS)


def test_compiled_codec_sums_every_shape(checked: Any) -> None:
    """Composites too: the accessor finds its component in C."""
    assert checked.fletcher16(wrap(b"abcde"), 0, 5) == 0xC8F0
    for buf in shapes(b"abcde").values():
        assert checked.fletcher16(buf, buf.reader_index, 5) == 0xC8F0
    with pytest.raises(IndexError):
        checked.fletcher16(wrap(b"abc"), 0, 4)


def test_compiled_codec_refuses_a_wrong_checksum_and_goes_on(checked: Any) -> None:
    """The frame behind the wrong one is decoded; a payload too long is refused."""
    decoder = checked.CheckedDecoder()
    wrong = bytearray(encoded(checked, b"wrong"))
    wrong[-1] ^= 1
    decoder.feed(bytes(wrong) + encoded(checked, b"right"))
    with pytest.raises(CorruptedFrameError):
        decoder.next()
    assert bytes(decoder.next()) == b"right"
    with pytest.raises(EncodeError):
        list(checked.CheckedEncoder().encode(copied(bytes(70_000)), default_allocator()))
