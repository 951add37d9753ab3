"""What is counted. No label ever holds an id, an address or a ticket."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("patchbell_web_requests", "Requests answered, by route and status.", ["route", "status"])
SECONDS = Histogram("patchbell_web_request_seconds", "Seconds to an answer, by route.", ["route"])
TICKETS = Counter("patchbell_web_tickets", "Tickets looked up: opened or ended.", ["outcome"])
SIGNED = Counter("patchbell_web_signed", "Signatures that pages reported.")

DISCORD = Counter("patchbell_discord_requests", "Discord's answers to requests of ours, by status.", ["status"])
REFUSALS = Gauge("patchbell_discord_refusals", "Answers of ten minutes that count towards a ban; 1000 stop us.")
HELD = Gauge("patchbell_held", "1 while checks, new conversations or all sending are held back.", ["what"])
OWED = Gauge("patchbell_outbox_owed", "Messages that wait to be sent.")
