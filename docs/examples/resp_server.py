"""A small key-value server that Redis clients talk to: strings, expiry, transactions, publish and subscribe.

    python resp_server.py PORT

Values of 4 KiB and more are kept as they arrived and sent from there: between the socket and the store, and between
the store and the socket, no byte of them is copied.
"""

import asyncio
import contextlib
import sys
from typing import Any

from resp_codec import NIL, Error, Push, RespDecoder, RespEncoder
from resp_store import COMMANDS, NOT_AN_INTEGER, SYNTAX, WHILE_SUBSCRIBED, KeyCommands, Store, Value, command

from zbuf import ByteBuf, Channel, ChannelGroup, DecoderHandler, EncoderHandler, serve
from zbuf.errors import DecodeError
from zbuf.pipeline import Context, Handler


class Session(KeyCommands, Handler[list[Any], Any]):
    """One connection: finds the command, answers it, or keeps it for EXEC."""

    def __init__(self, store: Store, encoder: RespEncoder) -> None:
        super().__init__(store)
        self.encoder = encoder
        self.id = next(store.ids)
        self.name: Value = b""
        self.queued: list[list[Any]] | None = None  # since MULTI
        self.watched: dict[bytes, Value | None] = {}
        self.topics: dict[bytes, None] = {}
        self.ctx: Any = None

    def handler_added(self, ctx: Context) -> None:
        self.ctx = ctx

    def channel_inactive(self, ctx: Context) -> None:
        self.reset()

    def channel_read(self, ctx: Context, msg: list[Any]) -> None:
        for reply in self.answer(msg):
            ctx.write(reply)

    def exception_caught(self, ctx: Context, exc: Exception) -> None:
        if isinstance(exc, DecodeError):
            ctx.write(Error(f"ERR Protocol error: {exc}"))
        else:
            ctx.fire_exception_caught(exc)
        ctx.close()

    def answer(self, request: Any) -> list[Any]:
        """Return the replies to a request: one, or none, or several of a subscription."""
        if not isinstance(request, list) or not all(isinstance(word, bytes | ByteBuf) for word in request):
            return [Error("ERR Protocol error: expected an array of bulk strings")]
        if not request:
            return []
        name = bytes(request[0]).upper()
        method, least, most = COMMANDS.get(name, (None, 0, 0))
        if method is None:
            reply: Any = Error(f"ERR unknown command '{name[:64].decode('ascii', 'replace').translate(PRINTABLE)}'")
        elif not least <= len(request) - 1 <= most:
            reply = Error(f"ERR wrong number of arguments for '{name.decode().lower()}' command")
        elif self.topics and self.encoder.version == 2 and name not in WHILE_SUBSCRIBED:
            reply = Error(f"ERR Can't execute '{name.decode().lower()}': only (P|S)SUBSCRIBE are allowed")
        elif self.queued is not None and name not in (b"EXEC", b"DISCARD", b"MULTI", b"WATCH", b"RESET", b"QUIT"):
            self.queued.append(request)
            reply = "QUEUED"
        else:
            try:
                reply = method(self, *request[1:])
            except DecodeError:  # number() found none
                reply = NOT_AN_INTEGER
        return reply if isinstance(reply, tuple) else [reply]  # type: ignore[return-value]  # a tuple is as good

    def reset(self) -> None:
        """Forget what belongs to the connection."""
        for topic in list(self.topics):
            self.leave(topic)
        self.queued = None
        self.watched.clear()

    def leave(self, topic: bytes) -> None:
        """Stop listening to a topic."""
        del self.topics[topic]
        group = self.store.listeners[topic]
        group.discard(self.ctx.channel)
        if not len(group):
            del self.store.listeners[topic]

    # The connection.

    @command("PING", 0, 1)
    def ping(self, text: Value | None = None) -> Any:
        if self.topics and self.encoder.version == 2:
            return [b"pong", text or b""]
        return "PONG" if text is None else text

    @command("ECHO", 1)
    def echo(self, text: Value) -> Any:
        return text

    @command("HELLO", 0, -1)
    def hello(self, version: Value = b"", *options: Value) -> Any:
        if version and bytes(version) not in (b"2", b"3"):
            return Error("NOPROTO unsupported protocol version")
        for at, word in enumerate(options):
            if bytes(word).upper() == b"SETNAME" and at + 1 < len(options):
                self.name = options[at + 1]
        self.encoder.version = int(bytes(version or b"2"))
        about: dict[bytes, Any] = {b"server": b"zbuf", b"version": b"7.0.0", b"proto": self.encoder.version}
        return about | {b"id": self.id, b"mode": b"standalone", b"role": b"master", b"modules": []}

    @command("CLIENT", 1, -1)
    def client(self, what: Value, *rest: Value) -> Any:
        match bytes(what).upper(), rest:
            case b"SETNAME", (name,):
                self.name = name
                return "OK"
            case b"GETNAME", ():
                return self.name or NIL
            case b"ID", ():
                return self.id
            case b"SETINFO", (_, _):
                return "OK"
        return Error("ERR unknown subcommand or wrong number of arguments for 'client'")

    @command("SELECT", 1)
    def select(self, database: Value) -> Any:
        return "OK" if bytes(database) == b"0" else Error("ERR DB index is out of range")

    @command("CONFIG", 2, -1)
    def config(self, what: Value, *names: Value) -> Any:
        return {bytes(name): b"" for name in names} if bytes(what).upper() == b"GET" else SYNTAX

    @command("COMMAND", 0, -1)
    def list_commands(self, *what: Value) -> Any:
        return len(COMMANDS) if what and bytes(what[0]).upper() == b"COUNT" else []

    @command("INFO", 0, -1)
    def info(self, *sections: Value) -> Any:
        return b"# Server\r\nredis_version:7.0.0\r\n# Keyspace\r\ndb0:keys=%d\r\n" % len(self.store.live_keys())

    @command("RESET")
    def reset_all(self) -> Any:
        self.reset()
        self.encoder.version = 2
        return "RESET"

    @command("QUIT")
    def quit(self) -> Any:
        self.ctx.run(self.ctx.channel.close_gracefully())
        return "OK"

    # Transactions: what is queued runs as one, because one thread serves all connections.

    @command("MULTI")
    def begin(self) -> Any:
        if self.queued is not None:
            return Error("ERR MULTI calls can not be nested")
        self.queued = []
        return "OK"

    @command("WATCH", 1, -1)
    def watch(self, *keys: Value) -> Any:
        if self.queued is not None:
            return Error("ERR WATCH inside MULTI is not allowed")
        self.watched.update({bytes(key): self.store.get(bytes(key)) for key in keys})
        return "OK"

    @command("UNWATCH")
    def unwatch(self) -> Any:
        self.watched.clear()
        return "OK"

    @command("DISCARD")
    def discard(self) -> Any:
        if self.queued is None:
            return Error("ERR DISCARD without MULTI")
        self.queued = None
        self.watched.clear()
        return "OK"

    @command("EXEC")
    def execute(self) -> Any:
        queued, self.queued = self.queued, None
        if queued is None:
            return Error("ERR EXEC without MULTI")
        watched, self.watched = self.watched, {}
        if any(self.store.get(key) is not value for key, value in watched.items()):
            return NIL
        return [reply for request in queued for reply in self.answer(request)]

    # Publish and subscribe.

    @command("SUBSCRIBE", 1, -1)
    def subscribe(self, *topics: Value) -> Any:
        replies = []
        for topic in map(bytes, topics):
            self.topics[topic] = None
            self.store.listeners.setdefault(topic, ChannelGroup()).add(self.ctx.channel)
            replies.append(Push([b"subscribe", topic, len(self.topics)]))
        return tuple(replies)

    @command("UNSUBSCRIBE", 0, -1)
    def unsubscribe(self, *topics: Value) -> Any:
        replies = []
        for topic in [bytes(topic) for topic in topics] or list(self.topics):
            if topic in self.topics:
                self.leave(topic)
            replies.append(Push([b"unsubscribe", topic, len(self.topics)]))
        return tuple(replies or [Push([b"unsubscribe", NIL, 0])])

    @command("PUBLISH", 2)
    def publish(self, topic: Value, message: Value) -> Any:
        group = self.store.listeners.get(bytes(topic))
        if group is None:
            return 0
        group.write(Push([b"message", bytes(topic), message]))
        return len(group)


PRINTABLE = dict.fromkeys((*range(32), 127), "?")


async def main(port: int) -> None:
    store = Store()

    def init(channel: Channel[list[Any], Any]) -> None:
        encoder = RespEncoder()
        channel.pipeline.add_last("requests", DecoderHandler(RespDecoder(), close_on_error=False))
        channel.pipeline.add_last("replies", EncoderHandler(encoder))
        channel.pipeline.add_last("session", Session(store, encoder))

    async with await serve(init, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
