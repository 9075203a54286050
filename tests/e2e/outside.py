"""What lies outside Postroom, in this process: it answers, or hands on, and notes all that it is asked."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

Answer = tuple[int, dict[str, str], bytes] | None
"""None cuts the connection off."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`path` is the address with its query, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(slots=True)
class Outside:
    """A server for one test; `answer` is what it says."""

    answer: Callable[[Asked], Answer]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    @property
    def addresses(self) -> bytes:
        """Every address that it was asked for."""
        return "\n".join(f"{each.method} {each.path}" for each in self.asked).encode()


@contextlib.contextmanager
def outside(answer: Callable[[Asked], Answer]) -> Iterator[Outside]:
    place = Outside(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            place.asked.append(asked)
            answer = place.answer(asked)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the names that the server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    place.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def handing_on_to(url: str) -> Callable[[Asked], Answer]:
    """Hands every request on, and its answer back; where there is none, so is ours."""
    session = requests.Session()

    def answer(asked: Asked) -> Answer:
        kept = {
            name: value
            for name, value in asked.headers.items()
            if name.lower() not in ("host", "content-length", "connection", "accept-encoding")
        }
        try:
            got = session.request(asked.method, url + asked.path, headers=kept, data=asked.body, timeout=15)
        except requests.ConnectionError:
            return None
        shown = {
            name: value
            for name, value in got.headers.items()
            if name.lower() in ("content-type", "retry-after")
        }
        return got.status_code, shown, got.content

    return answer
