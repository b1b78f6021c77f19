"""The front of the commands: what becomes of an interrupt that no server was there to take."""

import pytest

from zbuf.cli import _serve, main


def test_interrupt_outside_the_server_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C before the server listens, or a second one while its loop closes, ends in silence with code 130."""

    def interrupted(*_arguments: object, **_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(_serve, "serve", interrupted)
    assert main(["serve", "."]) == 130
    assert capsys.readouterr() == ("", "")
