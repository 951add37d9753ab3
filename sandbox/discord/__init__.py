"""A Discord on this machine: its REST API and gateway, and the people who use it. It speaks public protocols only."""

from sandbox.discord.people import Person
from sandbox.discord.server import TOKEN, DiscordServer

__all__ = ["TOKEN", "DiscordServer", "Person"]
