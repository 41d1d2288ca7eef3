"""Databases that can be taken away: SQLite's file, and PostgreSQL behind a wire of our own."""

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

BLOCK = 65_536
LOOK_SECONDS = 0.2
# The end of a connection that has rested long enough, by itself or with the protocol's last word.
FAREWELL = (b"", b"X")


class SqliteFile:
    """A file of our own. Away: the file is gone, and nothing can be made in its place."""

    ways = ("gone",)
    asked = 0

    def __init__(self, file: Path):
        self.file = file
        self.url = self.url_of_readers = f"sqlite:///{file}"

    @contextmanager
    def away(self, way: str) -> Iterator[None]:
        aside = self.file.with_suffix(".away")
        self.file.rename(aside)
        self.file.mkdir()
        try:
            yield
        finally:
            self.file.rmdir()
            aside.rename(self.file)


class PostgresBehindAWire:
    """A database of our own on the server of DATABASE_URL; readers reach it through a local port.

    Away: the port refuses and what was open is cut, as after a crash; or everything is taken and
    nothing ever answered, as with a server that hangs.
    """

    ways = ("refuses", "hangs")

    def __init__(self, name: str):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'CREATE DATABASE "{name}"')
        parts = urlsplit(os.environ["DATABASE_URL"])
        self.wire = Wire((parts.hostname or "localhost", parts.port or 5432))
        who = parts.netloc.rpartition("@")[0]
        netloc = f"{who}@127.0.0.1:{self.wire.port}"
        self.url = urlunsplit(parts._replace(path=f"/{name}"))
        self.url_of_readers = urlunsplit(
            parts._replace(netloc=netloc, path=f"/{name}", query="sslmode=disable")
        )

    @property
    def asked(self) -> int:
        """How often somebody has come with a question: connections and blocks, also unanswered."""
        return self.wire.asked

    @contextmanager
    def away(self, way: str) -> Iterator[None]:
        self.wire.go(way)
        try:
            yield
        finally:
            self.wire.go("through")


class Wire:
    """Carries connections to a server: through, or not at all. `port` is where it listens."""

    def __init__(self, target: tuple[str, int]):
        self.target = target
        self.way = "through"
        self.asked = 0
        self.open: set[socket.socket] = set()
        self.guard = threading.Lock()
        self.port = 0
        self.listener: socket.socket | None = None
        self._listen()

    def go(self, way: str) -> None:
        """Change the way. What was open is cut, but for a server that begins to hang."""
        self.way = way
        if way != "hangs":
            self._cut()
        if way == "refuses":
            listener, self.listener = self.listener, None
            listener.close()
        elif self.listener is None:
            self._listen()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(LOOK_SECONDS)
        while listener is self.listener:
            try:
                near, _address = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self.target)
        except OSError:
            near.close()
            return
        with self.guard:
            self.open |= {near, far}
        waiting: set[socket.socket] = set()
        with suppress(OSError, ValueError):
            while True:
                ready, _w, _x = select.select([near, far], [], [], LOOK_SECONDS)
                if self.way == "hangs":
                    if near in ready and near not in waiting:
                        waiting.add(near)
                        self.asked += near.recv(1, socket.MSG_PEEK) not in FAREWELL
                    threading.Event().wait(LOOK_SECONDS)
                    continue
                for source in ready:
                    content = source.recv(BLOCK)
                    if not content:
                        return self._end(near, far)
                    (far if source is near else near).sendall(content)
        self._end(near, far)

    def _end(self, *ends: socket.socket) -> None:
        with self.guard:
            self.open -= set(ends)
        for end in ends:
            end.close()

    def _cut(self) -> None:
        with self.guard:
            ends, self.open = self.open, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
