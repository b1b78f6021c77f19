"""Marks that several files of this folder use.

Owns    what a run with ZBUF_FENCE=1 leaves out.
Never   a reason of one test alone.
Always  a mark says why."""

import pytest

from zbuf._environ import FENCE

reused = pytest.mark.skipif(FENCE, reason="fenced blocks are not used again")
