"""What a run of the models says at its end.

Owns    the line with the number of steps, which is what the nightly session is measured by.
Never   a rule or an expectation.
Always  steps are counted as they are made, not multiplied out of the profile: a run may end early."""

from __future__ import annotations

from typing import Any

from tests.model._buffer_model import Handles


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many steps the buffer machine made."""
    if Handles.steps:
        terminalreporter.write_line(f"buffer model: {Handles.steps:,} steps")
