"""Fixtures of the transport tests: each kind of poller.

Owns    the choice of poller by environment variable.
Never   a loop or a socket.
Always  a test that asks for `any_poller` runs once with each kind there is."""

import select

import pytest


@pytest.fixture(params=["epoll", "loop"])
def any_poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One epoll set for all, then one callback of the loop per descriptor."""
    if request.param == "epoll" and not hasattr(select, "epoll"):
        pytest.skip("no epoll here")
    if request.param == "loop":
        monkeypatch.setenv("ZBUF_POLLER", "loop")
    else:
        monkeypatch.delenv("ZBUF_POLLER", raising=False)
    return str(request.param)
