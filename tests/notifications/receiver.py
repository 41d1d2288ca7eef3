"""A real HTTP receiver on this machine, in a thread, that behaves as it is told."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`status` and `body` of the next answers; `mood`: answer, hang, or drop the connection."""

    def __init__(self):
        self.status, self.body, self.mood = 200, {"errcode": 0, "errmsg": "ok"}, "answer"
        self.requests: list[dict] = []
        self.is_released = threading.Event()
        self.address = ""


@contextmanager
def listening():
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            receiver.requests.append(
                {
                    "path": self.path,
                    "headers": dict(self.headers),
                    "json": json.loads(self.rfile.read(length)),
                }
            )
            if receiver.mood == "hang":
                receiver.is_released.wait(10)
                return
            if receiver.mood == "drop":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = receiver.body
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        receiver.is_released.set()
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
