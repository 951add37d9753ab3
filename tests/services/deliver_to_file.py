"""A program that delivers what is owed into a file, to be killed at any instant.

`deliver_to_file.py DATABASE FILE LATER`. The file is the receiver: like Discord it keeps one line for each nonce for
two minutes and then forgets nonces, never messages. LATER shifts the clock by so many seconds.
"""

import asyncio
import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.notices import Envelope, Sent
from bot.domain.presets import load_presets
from bot.services.agenda import Agenda
from bot.services.alarms import Alarms
from bot.services.delivering import Delivering
from bot.services.reminding import Reminding
from bot.services.ticketing import Ticketing
from bot.settings import ReminderSettings, Settings
from bot.store import sending
from bot.store.database import open_database

WINDOW = 120.0


class FileSender:
    ready = True

    def __init__(self, path: Path, now) -> None:
        self._path = path
        self._now = now

    def _kept(self) -> list[dict]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    async def send(self, envelope: Envelope) -> Sent:
        await asyncio.sleep(random.uniform(0, 0.01))  # on its way there
        now = self._now().timestamp()
        known = any(each["nonce"] == envelope.nonce and now - each["at"] < WINDOW for each in self._kept())
        if not known:
            line = json.dumps({"id": envelope.delivery_id, "nonce": envelope.nonce, "at": now}) + "\n"
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            os.write(file, line.encode())
            os.close(file)
        await asyncio.sleep(random.uniform(0, 0.01))  # on its way back
        return Sent(channel_id=1, message_id=envelope.delivery_id)

    async def already_sent(self, envelope: Envelope) -> Sent | None:
        found = any(each["id"] == envelope.delivery_id for each in self._kept())
        return Sent(channel_id=1, message_id=envelope.delivery_id) if found else None

    async def edit(self, sent: Sent, envelope: Envelope) -> None:
        raise AssertionError("nothing is edited here")

    async def delete(self, sent: Sent) -> None:
        raise AssertionError("nothing is deleted here")


async def main(url: str, path: Path, later: float) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=later)

    settings = Settings(reminders=ReminderSettings(messages_per_second=40, new_dms_per_minute=60))
    database = await open_database(url)
    async with database.write() as connection:
        await sending.release_all(connection)
    reminding = Reminding(
        database, Agenda(settings.reminders, settings.checks), Ticketing(database, settings, load_presets(), now), now
    )
    delivering = Delivering(
        database, settings.reminders, now, advisor=reminding, alarms=Alarms(database, settings, now)
    )
    delivering.sender = FileSender(path, now)
    print("ready", flush=True)
    await delivering.deliver_due()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
