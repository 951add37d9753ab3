"""Rate limits: buckets for each route, and the global one (docs: topics/rate-limits.mdx).

They go by the machine's own steady clock, not the injected one: they are about real traffic, and clients wait for them
in real time. The numbers are not Discord's promise, which has none, but those that its answers usually carry.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.discord.errors import ApiError

GLOBAL_LIMIT = 50
BUCKETS = 10_000
SENDING = (5, 5.0)
OTHERS = (50, 5.0)
LIMITS: Mapping[str, tuple[int, float]] = {
    "POST /channels/{channel_id}/messages": SENDING,
    "PATCH /channels/{channel_id}/messages/{message_id}": SENDING,
    "POST /webhooks/{webhook_id}/{webhook_token}": SENDING,
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": SENDING,
}
NOT_GLOBAL = ("POST /interactions/", " /webhooks/")
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")


@dataclass(slots=True)
class _Bucket:
    limit: int
    per: float
    left: int
    resets_at: float


class RateLimits:
    """Counts requests. `enabled` False: nothing is refused, and no header sent. `limits` may be changed by route."""

    def __init__(self) -> None:
        self.enabled = True
        self.limits: dict[str, tuple[int, float]] = dict(LIMITS)
        self.global_limit = GLOBAL_LIMIT
        self._buckets: OrderedDict[tuple[str, ...], _Bucket] = OrderedDict()
        self._global = _Bucket(GLOBAL_LIMIT, 1.0, GLOBAL_LIMIT, 0.0)

    def take(self, route: str, match: Mapping[str, str], now_epoch: float) -> dict[str, str]:
        """Count one request; give the headers of its answer. Raises ApiError 429 when there were too many."""
        if not self.enabled or route.startswith("POST /interactions/"):
            return {}
        if not any(part in route for part in NOT_GLOBAL):
            self._take_global()
        major = tuple(match.get(name, "") for name in MAJOR)
        bucket = self._bucket(route, major)
        after = bucket.resets_at - time.monotonic()
        if bucket.left == 0:
            headers = self._headers(route, bucket, after, now_epoch)
            raise too_many(after, scope="user", headers=headers)
        bucket.left -= 1
        return self._headers(route, bucket, after, now_epoch)

    def _bucket(self, route: str, major: tuple[str, ...]) -> _Bucket:
        limit, per = self.limits.get(route, OTHERS)
        now = time.monotonic()
        bucket = self._buckets.get((route, *major))
        if bucket is None or bucket.resets_at <= now or (bucket.limit, bucket.per) != (limit, per):
            bucket = self._buckets[route, *major] = _Bucket(limit, per, limit, now + per)
            if len(self._buckets) > BUCKETS:
                self._buckets.popitem(last=False)
        return bucket

    def _take_global(self) -> None:
        now = time.monotonic()
        if self._global.resets_at <= now:
            self._global = _Bucket(self.global_limit, 1.0, self.global_limit, now + 1.0)
        if self._global.left == 0:
            raise too_many(self._global.resets_at - now, scope="global")
        self._global.left -= 1

    def _headers(self, route: str, bucket: _Bucket, after: float, now_epoch: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": f"{now_epoch + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }


def too_many(retry_after: float, *, scope: str, headers: Mapping[str, str] | None = None, via: bool = True) -> ApiError:
    """Give a 429. Without `via` it looks like Cloudflare's own ban, which has no JSON either."""
    retry_after = max(round(retry_after, 3), 0.001)
    body = {
        "message": "The resource is being rate limited." if scope == "shared" else "You are being rate limited.",
        "retry_after": retry_after,
        "global": scope == "global",
    }
    more = {
        "Retry-After": str(int(retry_after) + 1),
        "X-RateLimit-Scope": scope,
        **({"X-RateLimit-Global": "true"} if scope == "global" else {}),
        **({"Via": "1.1 google"} if via else {}),
    }
    return ApiError(429, body, {**(headers or {}), **more})
