"""`python -m bot check`: verdicts with evidence for people and for scripts, without configuration or token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.ao.opening import Opened, open_reading
from bot.ao.reader import Reading, Urgency
from bot.domain.card import Arrival, Metadata, Outcome, Sighting
from bot.domain.keys import StateKey, parse_key
from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId, parse_process_id, shorten
from bot.domain.verdict import Judgement, Reason
from bot.errors import MalformedProcessId
from bot.settings import NodeSettings, Settings

EXIT_PATCHED = 0
EXIT_NOT_PATCHED = 1
EXIT_UNKNOWN = 2
EXIT_MALFORMED = 64

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEntry:
    """What was found for one id: a reading, or the sentence that says why it is none."""

    text: str
    reading: Reading | None = None
    error: str | None = None
    arrival: Arrival | None = None

    @property
    def judgement(self) -> Judgement | None:
        """The one judgement of the reading."""
        return self.reading.judgements[0] if self.reading is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """One entry for each id, in the order given. `keys` are the ones that were asked for."""

    entries: tuple[CheckEntry, ...]
    keys: tuple[StateKey, ...]

    @property
    def exit_code(self) -> int:
        """64 if any id is malformed, else 2 if any is unknown or not found, else 1 if any is not patched, else 0."""
        verdicts = {entry.judgement.verdict for entry in self.entries if entry.judgement is not None}
        if any(entry.error is not None for entry in self.entries):
            return EXIT_MALFORMED
        if verdicts & {Verdict.UNKNOWN, Verdict.NOT_FOUND}:
            return EXIT_UNKNOWN
        return EXIT_NOT_PATCHED if Verdict.NOT_PATCHED in verdicts else EXIT_PATCHED

    def as_json(self) -> str:
        """Give the list for scripts."""
        return json.dumps([_as_data(entry, self.keys) for entry in self.entries], indent=2)

    def as_text(self, *, explain: bool = False) -> str:
        """Give the report for people, with the reasoning if asked for."""
        return "\n\n".join(_as_text(entry, explain) for entry in self.entries)


async def run_check(
    settings: Settings, pids: Sequence[str], keys: Sequence[str] = (), nodes: Sequence[str] = ()
) -> CheckReport:
    """Read every id once and report. `nodes`, where given, are asked instead of the configured ones.

    Raises MalformedKey; malformed ids and peers that fail are part of the report.
    """
    required = tuple(parse_key(key) for key in keys)
    if nodes:
        chosen = tuple(NodeSettings(url=url) for url in nodes)
        settings = settings.model_copy(update={"ao": settings.ao.model_copy(update={"nodes": chosen})})
    slots = asyncio.Semaphore(_AT_ONCE)
    async with open_reading(settings) as opened:
        entries = await asyncio.gather(*(_check(opened, pid, required, slots) for pid in pids))
    return CheckReport(entries=tuple(entries), keys=required)


async def _check(opened: Opened, text: str, required: tuple[StateKey, ...], slots: asyncio.Semaphore) -> CheckEntry:
    try:
        process = parse_process_id(text)
    except MalformedProcessId as error:
        return CheckEntry(text=text, error=str(error))
    async with slots:
        reading = await opened.reader.read(process, (required,), urgency=Urgency.REGISTERED)
        arrival = await _arrival(opened, reading)
    return CheckEntry(text=text, reading=reading, arrival=arrival)


async def _arrival(opened: Opened, reading: Reading) -> Arrival | None:
    """Look for the owner's message where the process is not patched; it may have gone to a process without handler."""
    if reading.judgements[0].verdict is not Verdict.NOT_PATCHED or reading.metadata is None:
        return None
    return await opened.arrivals.newest(reading.process, reading.judgements[0], sender=reading.metadata.owner)


def _as_data(entry: CheckEntry, keys: tuple[StateKey, ...]) -> dict[str, Any]:
    judgement, reading = entry.judgement, entry.reading
    data: dict[str, Any] = {
        "process": reading.process if reading is not None else entry.text,
        "verdict": judgement.verdict.value if judgement is not None else None,
        "keys": list(keys),
        "exposed": list(judgement.exposed) if judgement is not None else [],
        "evidence": [_evidence(sighting) for sighting in reading.evidence] if reading is not None else [],
        "requests": reading.requests if reading is not None else 0,
    }
    return data if entry.error is None else {**data, "error": entry.error}


def _evidence(sighting: Sighting) -> dict[str, Any]:
    return {
        "node": sighting.node,
        "path": sighting.path,
        "status": sighting.status,
        "reason": sighting.reason,
        "elapsed_ms": sighting.elapsed_ms,
    }


def _as_text(entry: CheckEntry, explain: bool) -> str:
    judgement, reading = entry.judgement, entry.reading
    if judgement is None or reading is None:
        return f"{plain(entry.text, 60)}\n  malformed. {entry.error}"
    name = f"  {plain(reading.metadata.name, 60)}" if reading.metadata is not None and reading.metadata.name else ""
    lines = [f"{reading.process}{name}", f"  {_VERDICTS[judgement.verdict]}. {_REASONS[judgement.reason]}"]
    lines += [f"  {line}" for line in _details(judgement)]
    if entry.arrival is not None:
        lines.append(f"  {_arrival_line(entry.arrival)}")
    if explain:
        lines += ["  Why:", *(f"    {line}" for line in _reasoning(judgement, reading))]
    lines += ["  Seen:", *(f"    {_line(sighting, reading.process)}" for sighting in reading.evidence)]
    return "\n".join(lines)


_VERDICTS = {
    Verdict.PATCHED: "Patched",
    Verdict.NOT_PATCHED: "Not patched",
    Verdict.NOT_FOUND: "Not found",
    Verdict.UNKNOWN: "Unknown",
}
_REASONS = {
    Reason.SHOWN: "Apps can read its state over HTTP.",
    Reason.MISSING: "Apps can't read its state until its owner signs one message.",
    Reason.BEHIND: "No node has computed its newest messages yet.",
    Reason.UNSCHEDULED: "Nothing was ever sent to it, so there is no state to show.",
    Reason.COMPUTING: "A node is still computing it. Ask again in a few minutes.",
    Reason.STUCK: "Its newest message cannot be computed, and before it nothing was shown.",
    Reason.DISAGREE: "The nodes contradict each other.",
    Reason.NOT_KNOWN_HERE: "No node that answered knows it.",
    Reason.NOT_A_PROCESS: "No gateway and no node knows an AO process by this id.",
    Reason.TOO_YOUNG: "It may be too young for the gateways. Ask again later.",
    Reason.TAGS_UNKNOWN: "No gateway told how it was spawned, and without that what it shows proves nothing.",
    Reason.NO_ANSWER: "No node gave an answer that proves anything.",
    Reason.NODES_DOWN: "None of the nodes is well. That is not the process's fault.",
}


def _details(judgement: Judgement) -> list[str]:
    lines: list[str] = []
    if judgement.shown:
        lines.append("Shown: " + ", ".join(f"{key} (at {path})" for key, path in judgement.shown))
    if judgement.missing:
        lines.append("Missing: " + ", ".join(judgement.missing))
    others = [path for path in judgement.exposed if path not in dict(judgement.shown).values()]
    if others:
        more = f" and {len(others) - 10} more" if len(others) > 10 else ""
        lines.append(("Shown instead: " if judgement.missing else "Shown too: ") + ", ".join(others[:10]) + more)
    if judgement.stuck:
        lines.append("Stuck: its newest message cannot be computed; this is what was before it.")
    return lines


def _arrival_line(arrival: Arrival) -> str:
    when = f" on {arrival.at:%Y-%m-%d at %H:%M} UTC" if arrival.at is not None else ""
    came_of_it = {
        Outcome.PATCHED: "and the process answered it with a patch, which the nodes asked here do not show",
        Outcome.NO_HANDLER: "but the process has no handler for it: its owner must install one (python -m bot handler)",
        Outcome.FAILED: f"but the process failed at it: {plain(arrival.error or '', 120)}",
        Outcome.UNKNOWN: "but nobody could say what came of it",
    }
    return f"The owner's EnableStatePatch message arrived{when}, {came_of_it[arrival.outcome]}."


def _reasoning(judgement: Judgement, reading: Reading) -> list[str]:
    """Say what the verdict rests on, fact by fact."""
    lines = [_metadata_line(reading.metadata)]
    if judgement.at_slot is not None:
        newest = "not known" if judgement.current_slot is None else str(judgement.current_slot)
        lines.append(f"Computed up to slot {judgement.at_slot}; the newest scheduled slot is {newest}.")
    if judgement.nodes:
        lines.append(f"Says so: {', '.join(judgement.nodes)} ({_operators(judgement)}).")
    lines.append(_RULES[judgement.verdict])
    return lines


_RULES = {
    Verdict.PATCHED: "Patched: a node's own listing or headers name each key looked for, under cache/ or at the root.",
    Verdict.NOT_PATCHED: "Not patched: a node that has computed every message lists what it shows; it is not there.",
    Verdict.NOT_FOUND: "Not found: every gateway and every node was reached, and none knows the id as a process.",
    Verdict.UNKNOWN: "Unknown: nothing is proven either way. It is no fault of the owner, and reminds nobody.",
}


def _metadata_line(metadata: Metadata | None) -> str:
    if metadata is None:
        return "No gateway describes it."
    spawned = f", spawned {metadata.spawned_at:%Y-%m-%d}" if metadata.spawned_at is not None else ""
    variant = f", variant {plain(metadata.variant, 20)}" if metadata.variant else ""
    return f"A gateway describes it: owner {plain(metadata.owner, 60)}{variant}{spawned}."


def _operators(judgement: Judgement) -> str:
    count = len(judgement.operators)
    return "one operator" if count == 1 else f"{count} operators"


def _line(sighting: Sighting, process: ProcessId) -> str:
    path = sighting.path.replace(process, shorten(process))
    status = f"{sighting.status}: " if sighting.status is not None else ""
    return f"{sighting.node}{path}  {status}{sighting.reason} ({sighting.elapsed_ms} ms)"


def plain(text: str, longest: int) -> str:
    """Give text from strangers without control, bidi and other invisible characters, and cut."""
    shown = "".join(character for character in text[: 4 * longest] if character.isprintable())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
