"""What the store costs: owing reminders, delivering them, claiming due processes. `python -m benchmarks.store [ROWS]`.

SQLite in a temporary folder, the real services, a sender that does nothing. Rates are of this machine; the growth from
a small table to a large one is what carries over.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from bot.application import Application
from bot.bucket import Bucket
from bot.domain.card import Role
from bot.domain.notices import Envelope, Sent
from bot.domain.observation import Verdict
from bot.domain.status import TargetStatus
from bot.settings import DatabaseSettings, Settings, WebSettings
from bot.store import processes
from bot.store.tables import people, registrations, targets
from bot.store.tables import processes as process_rows

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PEOPLE = 500


class NoSender:
    ready = True

    async def send(self, envelope: Envelope) -> Sent:
        return Sent(channel_id=envelope.user_id or 0, message_id=envelope.delivery_id)

    async def already_sent(self, envelope: Envelope) -> Sent | None:
        return None

    async def edit(self, sent: Sent, envelope: Envelope) -> None:
        return None

    async def delete(self, sent: Sent) -> None:
        return None


async def fill(
    application: Application, rows: int, owners: int, *, who: Callable[[int], int] = lambda number: number + 1
) -> None:
    """Write `rows` processes, all due, of which the first `owners` are confirmed not patched and due to be reminded.

    `who` gives the id of the n-th owner.
    """
    status = TargetStatus(verdict=Verdict.NOT_PATCHED, since=NOW - timedelta(days=9))
    async with application.database.write() as connection:
        for start in range(0, rows, 1000):
            names = [(number, f"{number:043d}") for number in range(start, min(start + 1000, rows))]
            await connection.execute(
                insert(process_rows), [{"process": name, "created_at": NOW, "next_look_at": NOW} for _, name in names]
            )
            await connection.execute(
                insert(targets),
                [
                    {"id": number + 1, "process": name, "required": (), "status": status, "verdict": status.verdict}
                    for number, name in names
                ],
            )
            mine = [pair for pair in names if pair[0] < owners]
            if mine:
                await connection.execute(insert(people), [_person(who(number)) for number, _ in mine])
                await connection.execute(insert(registrations), [_registration(who(pair[0]), *pair) for pair in mine])


def _person(user_id: int) -> dict[str, object]:
    return {
        "user_id": user_id,
        "safe_word": "amber otter",
        "locale": "en",
        "created_at": NOW - timedelta(days=9),
        "next_reminder_at": NOW,
        "dm_channel_id": user_id,
    }


def _registration(user_id: int, number: int, name: str) -> dict[str, object]:
    return {
        "user_id": user_id,
        "process": name,
        "target_id": number + 1,
        "role": Role.MINE,
        "created_at": NOW - timedelta(days=9),
    }


async def measure(rows: int, owners: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database=DatabaseSettings(url=f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"),
            web=WebSettings(public_url="https://patchbell.test"),
        )
        application = Application(settings, clock=lambda: NOW)
        await application.database.open()
        await fill(application, rows, owners)
        application.delivering.sender = NoSender()
        application.delivering.budget = Bucket(rate=1e9, burst=1e9)  # what it costs, not what it is paced to

        started = time.perf_counter()
        claims = 0
        for _ in range(10):
            async with application.database.write() as connection:
                claims += len(await processes.claim_due(connection, NOW, 100))
        claimed = claims / (time.perf_counter() - started)

        started = time.perf_counter()
        owed = await application.reminding.owe_due()
        owing = owed / (time.perf_counter() - started)

        started = time.perf_counter()
        sent = await application.delivering.deliver_due()
        sending = sent / (time.perf_counter() - started)
        await application.database.close()
    return {"claimed/s": claimed, "owed/s": owing, "sent/s": sending}


async def main() -> None:
    large = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    few, many = await measure(PEOPLE, PEOPLE), await measure(large, PEOPLE)
    print(f"{'':12}{PEOPLE:>10,} rows{large:>12,} rows   ratio")
    for name, value in few.items():
        print(f"{name:12}{value:>15,.0f}{many[name]:>17,.0f}{many[name] / value:>8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
