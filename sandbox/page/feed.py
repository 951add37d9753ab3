"""What happens behind the scenes, told to every open page as server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

WAITING_AT_MOST = 500
"""Events that a slow page may be behind before it is let go: it then asks for the whole state anew."""
HEARTBEAT = 15.0


class Feed:
    """Hands each published event to all who listen."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()

    def publish(self, event: dict[str, Any]) -> None:
        """Tell all open pages. `event` has a `type`."""
        for listener in tuple(self._listeners):
            if listener.full():
                self._listeners.discard(listener)
                listener.get_nowait()
                listener.put_nowait(None)
            else:
                listener.put_nowait(event)

    def close(self) -> None:
        """Let every listener go."""
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
            listener.put_nowait(None)
        self._listeners.clear()

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """Answer `GET …/feed`: one `data:` line of JSON an event, until the page goes away."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(WAITING_AT_MOST)
        self._listeners.add(queue)
        try:
            await response.write(b": hello\n\n")
            while (line := await _next_line(queue)) is not None:
                await response.write(line)
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._listeners.discard(queue)
        return response


async def _next_line(queue: asyncio.Queue[dict[str, Any] | None]) -> bytes | None:
    try:
        async with asyncio.timeout(HEARTBEAT):
            event = await queue.get()
    except TimeoutError:
        return b": still here\n\n"
    return None if event is None else f"data: {json.dumps(event)}\n\n".encode()
