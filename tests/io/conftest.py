"""Fixtures of this folder: the same leak check as in the contract tests.

Owns    nothing of its own.
Never   an expectation about one function.
Always  every test gives back the blocks it took."""

from tests.contracts.conftest import no_shape_left

__all__ = ["no_shape_left"]
