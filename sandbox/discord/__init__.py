"""A Discord on this machine: its REST API and gateway, and the people who use it. It speaks only the public protocol."""

from sandbox.discord.people import Person
from sandbox.discord.server import TOKEN, DiscordServer

__all__ = ["TOKEN", "DiscordServer", "Person"]
