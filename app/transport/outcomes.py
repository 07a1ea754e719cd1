"""How did a request end? Asked by whatever counts, traces or logs it."""

from starlette.types import Message, Send

CLIENT_GONE = 499
"""No answer was begun, and nothing failed: the client left first (nginx's number for it)."""
FAILED = 500


class Outcome:
    """``status`` is 0 until an answer was begun; ``sent_bytes`` are those of its body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.sent_bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
        await self._send(message)

    def final(self, *, failed: bool) -> int:
        """``failed``: the application raised, which the layer outside answers with 500."""
        return self.status or (FAILED if failed else CLIENT_GONE)
