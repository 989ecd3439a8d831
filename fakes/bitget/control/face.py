"""HTTP around the control calls, on the port of the venue's own faces and under a path that no venue has.

Only who sits at this machine may drive it. A page of some website, open in a browser here, could send requests to a
loopback port too, so a call is refused (403) where

- its `Host` is no loopback name: a foreign name that was made to resolve to 127.0.0.1 (DNS rebinding);
- it has an `Origin`: browsers put it on every request of a page that could change something, and no program need;
- its `Sec-Fetch-Site` says that another site asked for it; an address typed into the browser is welcome.

No answer carries a CORS header, so no page can read one.
"""

from collections.abc import Sequence

from ..server import Receive, Scope, Send
from .asked import BYTES_MAX, Unfit, quoted
from .calls import PREFIX, Control, Reply

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_FROM_HERE = ("none", "same-origin")


class ControlFace:
    """An ASGI application: the control calls under their path, and the venue everywhere else."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_control(_path(scope)):
            await self._control.faces.app(scope, receive, send)
            return
        reply = refusal(scope["headers"]) or await self._answer(scope, receive)
        if reply is None:
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(reply.body)).encode()),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply | None:
        """None where the client left in the middle of its request."""
        body, more = b"", True
        while more and len(body) <= BYTES_MAX:  # one byte too many is enough to refuse it
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body, more = body + message.get("body", b""), message.get("more_body", False)
        reply = self._control.answer(scope["method"], _path(scope) + _query(scope), body)
        self._control.faces.start()  # a venue that was just opened
        return reply


def is_control(path: str) -> bool:
    """Whether a path is the control face's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def refusal(headers: Sequence[tuple[bytes, bytes]]) -> Reply | None:
    """Why a request is not from somebody at this machine, as its answer; None where it is."""
    named = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in headers}
    host, origin, site = named.get("host", ""), named.get("origin"), named.get("sec-fetch-site", "none")
    if _hostname(host) not in LOOPBACK:
        return _forbidden("a Host of this machine", host, "ask http://127.0.0.1 with its port")
    if origin is not None:
        return _forbidden("no Origin", origin, "no page drives a venue: send it from a program")
    if site not in _FROM_HERE:
        return _forbidden("no other site to ask", site, "no page drives a venue: send it from a program")
    return None


def _hostname(host: str) -> str:
    """Host without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isascii() and port.isdigit() else host.lower()


def _forbidden(expected: str, found: str, remedy: str) -> Reply:
    return Reply.refused(Unfit(expected, quoted(found), remedy, 403))


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path", scope["path"].encode())
    return raw.decode("latin-1")


def _query(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return f"?{query.decode('latin-1')}" if query else ""
