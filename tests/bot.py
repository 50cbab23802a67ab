"""The bot's health endpoint, with an answer that the test chooses, over a real socket."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICES = {name: {"configured": True} for name in ("redis", "anthropic", "database", "twilio")}
HEALTHY = {"status": "healthy", "services": SERVICES}


@contextmanager
def bot(status: int, answer: object) -> Iterator[str]:
    """Serve the endpoint with that HTTP status and answer, bytes or JSON; yield the bot's URL."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{endpoint.server_port}"
        finally:
            endpoint.shutdown()
            thread.join()


@contextmanager
def accepting(said: bytes = b"", *, closes: bool = False, pause: float = 0.0) -> Iterator[str]:
    """Accept, send the bytes one at a time, then close or hang; yield the bot's URL."""
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                # A connection that is closed with unread bytes is reset, and what was said is lost.
                connection.recv(1 << 16)
                for byte in said:
                    connection.sendall(bytes([byte]))
                    done.wait(pause)
                if not closes:
                    done.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
