"""An AO network on one machine: public protocols over real sockets, real signatures, real Lua."""

from sandbox.ao.faults import Faults, Lie
from sandbox.ao.network import AoNetwork
from sandbox.ao.node import SandboxNode

__all__ = ["AoNetwork", "Faults", "Lie", "SandboxNode"]
