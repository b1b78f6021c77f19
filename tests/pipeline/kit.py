"""Handlers that write down what they see.

Owns    the recording handlers of the pipeline tests.
Never   an expectation.
Always  a recorded line is "name: event"."""

from zbuf.pipeline import Handler


class Recorder(Handler):
    """Writes down each event it gets, then passes it on."""

    def __init__(self, name, log):
        self.name = name
        self.log = log

    def _note(self, event):
        self.log.append(f"{self.name}: {event}")

    def handler_added(self, ctx):
        self._note("handler_added")

    def handler_removed(self, ctx):
        self._note("handler_removed")

    def channel_active(self, ctx):
        self._note("channel_active")
        ctx.fire_channel_active()

    def channel_inactive(self, ctx):
        self._note("channel_inactive")
        ctx.fire_channel_inactive()

    def channel_read(self, ctx, msg):
        self._note(f"channel_read {msg!r}")
        ctx.fire_channel_read(msg)

    def channel_read_complete(self, ctx):
        self._note("channel_read_complete")
        ctx.fire_channel_read_complete()

    def channel_writability_changed(self, ctx):
        self._note("channel_writability_changed")
        ctx.fire_channel_writability_changed()

    def user_event_triggered(self, ctx, event):
        self._note(f"user_event_triggered {event!r}")
        ctx.fire_user_event_triggered(event)

    def exception_caught(self, ctx, exc):
        self._note(f"exception_caught {type(exc).__name__}")
        ctx.fire_exception_caught(exc)

    def write(self, ctx, msg, promise):
        self._note(f"write {msg!r}")
        ctx.write(msg, promise)

    def flush(self, ctx):
        self._note("flush")
        ctx.flush()

    def read(self, ctx):
        self._note("read")
        ctx.read()

    def close(self, ctx):
        self._note("close")
        ctx.close()


class Catcher(Handler):
    """Keeps messages and exceptions: nothing reaches the tail."""

    def __init__(self):
        self.messages = []
        self.exceptions = []
        self.events = []

    def channel_read(self, ctx, msg):
        self.messages.append(bytes(msg) if hasattr(msg, "readable_bytes") else msg)

    def channel_read_complete(self, ctx):
        self.events.append("complete")

    def channel_inactive(self, ctx):
        self.events.append("inactive")

    def user_event_triggered(self, ctx, event):
        self.events.append(type(event).__name__)

    def exception_caught(self, ctx, exc):
        self.exceptions.append(type(exc))
        self.last = exc


class Promise:
    """A promise that counts how often it was completed."""

    def __init__(self):
        self.outcomes = []

    def succeed(self):
        self.outcomes.append("done")

    def fail(self, exc):
        self.outcomes.append(type(exc))
