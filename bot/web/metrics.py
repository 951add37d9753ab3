"""What the web server counts. No label ever holds an id, an address or a ticket."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter("patchbell_web_requests", "Requests answered, by route and status.", ["route", "status"])
SECONDS = Histogram("patchbell_web_request_seconds", "Seconds to an answer, by route.", ["route"])
TICKETS = Counter("patchbell_web_tickets", "Tickets looked up: opened or ended.", ["outcome"])
SIGNED = Counter("patchbell_web_signed", "Signatures that pages reported.")
