"""The one place where the time of day comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the current time, always aware and in UTC."""


def utc_now() -> datetime:
    """Give the current time in UTC."""
    return datetime.now(UTC)
