"""An AO network on one machine, over real sockets: nodes, a gateway, a messenger, a compute and a scheduler unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from sandbox.ao.ans104 import random_id, read_item
from sandbox.ao.definition import AOS_MODULE
from sandbox.ao.gateway import Ledger, SandboxGateway, Transaction
from sandbox.ao.lua import LuaProcess, Message
from sandbox.ao.node import SandboxNode
from sandbox.ao.process import Memory, Process, Runtimes
from sandbox.ao.units import compute_unit, messenger_unit, scheduler_unit

OPERATORS = ("amber", "birch", "birch")
_FIRST_BLOCK = 1_700_000
_SECONDS_PER_BLOCK = 120


def _now() -> datetime:
    return datetime.now(UTC)


class AoNetwork:
    """The whole network. `await start()` (or `async with`) before using any address.

    Nodes, units and the gateway share one scheduler and one ledger; what a node shows of them depends on what it has
    computed and on its faults. Processes run on what `memory` makes: a Lua of this Python, or a real aos.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = _now,
        operators: Sequence[str] = OPERATORS,
        memory: Callable[[Message], Memory] = LuaProcess,
    ) -> None:
        self.clock = clock
        self.processes: dict[str, Process] = {}
        self.ledger = Ledger()
        self.nodes = [SandboxNode(self, operator) for operator in operators]
        self.gateway = SandboxGateway(self.ledger)
        self.mu = messenger_unit(self)
        self.cu = compute_unit(self)
        self.su = scheduler_unit(self)
        self._slots: dict[tuple[str, str], int] = {}
        self._runtimes = Runtimes(memory)

    async def start(self) -> None:
        """Listen everywhere."""
        for part in self._parts:
            await part.start()

    async def stop(self) -> None:
        """Stop listening everywhere."""
        for part in self._parts:
            await part.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def _parts(self) -> tuple[Any, ...]:
        return (*self.nodes, self.gateway, self.mu, self.cu, self.su)

    @property
    def gateway_url(self) -> str:
        """What goes into `ao.gateways`."""
        return self.gateway.graphql_url

    @property
    def mu_url(self) -> str:
        """What goes into `ao.mu_url`."""
        return self.mu.url

    @property
    def cu_url(self) -> str:
        """What goes into `ao.cu_url`."""
        return self.cu.url

    @property
    def su_url(self) -> str:
        """What goes into `ao.su_url`."""
        return self.su.url

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Every origin to which the units redirect: what goes into `ao.allowed_hosts`."""
        return (*self.mu.origins, *self.cu.origins, *self.su.origins)

    def spawn(
        self,
        owner: str,
        lua: str = "",
        tags: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        *,
        patches: Sequence[Mapping[str, Any]] = (),
        scheduled: bool = True,
        mined: bool = True,
        known_to_gateway: bool = True,
        process: str | None = None,
    ) -> str:
        """Make a process and give its id. `owner` is an address, or the id of the process that spawns it.

        `lua` runs at slot 0. `patches` are patch messages of slot 0 without any Lua (`{"cache": {"balances": {…}}}`),
        so that ten thousand processes cost nothing. Not `scheduled`: nothing ever ran. Not `mined`: no block
        """
        given = tuple(tags.items()) if isinstance(tags, Mapping) else tuple(tags)
        names = {name.lower() for name, _ in given}
        spawner = [("From-Process", owner)] if owner in self.processes else []
        defaults = (
            ("Data-Protocol", "ao"),
            ("Variant", "ao.TN.1"),
            ("Type", "Process"),
            ("Module", AOS_MODULE),
            ("Authority", "fcoN_xJeisVsPXA-trzVAuIiqO3ydLQxM-L4XbrQKzY"),
        )
        every = (*given, *spawner, *(pair for pair in defaults if pair[0].lower() not in names))
        made = Process(
            id=process or random_id(),
            owner=owner,
            tags=every,
            spawned_at=self.clock().timestamp(),
            runtimes=self._runtimes,
            lua=lua,
            first_patches=patches,
            block=self._height() if mined else None,
            module=dict(every).get("Module", AOS_MODULE),
        )
        self.processes[made.id] = made
        if scheduled:
            message = self._message(made.id, owner, owner, every, "")
            self._slots[made.id, made.id] = made.schedule(message)
        if known_to_gateway:
            self._record(made.id, owner, "", every, mined=mined)
        return made.id

    def find(self, process: str) -> Process | None:
        """Give a process, or None."""
        return self.processes.get(process)

    def slot_of(self, message: str, process: str) -> int | None:
        """Give the slot of a message on a process, or None."""
        return self._slots.get((message, process))

    def deliver(self, raw: bytes) -> tuple[str, int]:
        """Take a signed data item and schedule it; give its id and its slot.

        Raises BadItem where the signature does not hold, LookupError where no such process is. A second delivery of the
        same item changes nothing.
        """
        item = read_item(raw)
        if item.tag("Data-Protocol") != "ao" or item.tag("Type") != "Message":
            raise LookupError("The data item is not an ao message")
        slot = self.slot_of(item.id, item.target)
        if slot is None:
            self._record(item.id, item.owner, item.target, item.tags, mined=True, size=len(raw))
            slot = self.send(item.target, item.owner, item.tags, item.data.decode("utf-8", "replace"), identity=item.id)
        return item.id, slot

    def send(
        self,
        process: str,
        sender: str,
        tags: Mapping[str, str] | Sequence[tuple[str, str]],
        data: str = "",
        *,
        identity: str | None = None,
        owner: str | None = None,
    ) -> int:
        """Schedule a message as if `sender` had signed it, without a signature: for seeding. Gives its slot.

        Raises LookupError where no such process is.
        """
        target = self.find(process)
        if target is None:
            raise LookupError(f"Process {process} was not found on this network")
        given = tuple(tags.items()) if isinstance(tags, Mapping) else tuple(tags)
        identity = identity or random_id()
        slot = target.schedule(self._message(identity, sender, owner or sender, given, data) | {"Target": process})
        self._slots[identity, process] = slot
        return slot

    def tried(self, process: str, message: Mapping[str, Any]) -> Message:
        """Give a message as a process would be handed it, for a dry run. Raises ValueError where it is none."""
        tags = message.get("Tags", [])
        if not isinstance(tags, list):
            raise ValueError("Tags is a list")
        owner, data = str(message.get("Owner", "")), str(message.get("Data", ""))
        pairs = [(str(tag["name"]), str(tag["value"])) for tag in tags]
        return self._message(str(message.get("Id", "")), owner, owner, pairs, data) | {"Target": process}

    def poison(self, process: str) -> int:
        """Schedule a message that no unit can evaluate, so that the process is stuck. Gives its slot."""
        message = self._message(random_id(), process, process, (), "") | {"Poison": True}
        return self.processes[process].schedule(message)

    def _message(self, identity: str, sender: str, owner: str, tags: Sequence[tuple[str, str]], data: str) -> Message:
        return {
            "Id": identity,
            "From": sender,
            "Owner": owner,
            "Tags": [{"name": name, "value": value} for name, value in tags],
            "Data": data,
            "Timestamp": int(self.clock().timestamp() * 1000),
            "Block-Height": self._height(),
            "Module": AOS_MODULE,
        }

    def _record(
        self, identity: str, owner: str, recipient: str, tags: Sequence[tuple[str, str]], *, mined: bool, size: int = 0
    ) -> None:
        height = self._height() if mined else None
        seconds = int(self.clock().timestamp()) if mined else None
        self.ledger.add(Transaction(identity, owner, recipient, tuple(tags), height, seconds, size))

    def _height(self) -> int:
        return _FIRST_BLOCK + int(self.clock().timestamp()) // _SECONDS_PER_BLOCK % 1_000_000
