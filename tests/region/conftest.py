"""What the tests of regions share: a file with known bytes, and a pooled allocator.

Owns    fixtures. Never a claim. Always every file lies below pytest's tmp_path.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

DATA = bytes(range(256)) * 16  # 4096 bytes, each page position recognisable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A regular file that holds DATA."""
    file = tmp_path / "data.bin"
    file.write_bytes(DATA)
    return file


@pytest.fixture
def fd(path: Path) -> Iterator[int]:
    """A descriptor of that file, owned by the test."""
    number = os.open(path, os.O_RDONLY)
    yield number
    os.close(number)


def is_open(number: int) -> bool:
    """Return whether the descriptor is open."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
