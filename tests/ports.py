"""A free port for a server whose address is configured before it listens."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """Give one below those that the system gives away: nobody's outgoing connection takes it meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listening:
            try:
                listening.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
