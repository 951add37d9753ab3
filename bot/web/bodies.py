"""JSON as it comes and goes: bounded bodies of one shape, refusals of one sentence, and what the page is told."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.domain.observation import Verdict
from bot.domain.process_id import ProcessId
from bot.domain.ways import Way
from bot.services.ticketing import Template
from bot.settings import Settings

BODY_LIMIT = 32 * 1024
"""Bytes: a ticket and what was signed for two hundred processes fit into it."""

BODY_SECONDS = 10
"""A body that takes longer is given up."""

_Shape = TypeVar("_Shape", bound=BaseModel)


def refusal(kind: type[web.HTTPException], sentence: str) -> web.HTTPException:
    """Make an HTTP error that carries one sentence for the page."""
    return kind(text=sentence)


async def read_body(request: web.Request, shape: type[_Shape]) -> _Shape:
    """Read a body of this shape. Raises an HTTP error with one sentence where it is none."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise refusal(web.HTTPUnsupportedMediaType, "Send plain application/json.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return shape.model_validate_json(await request.read())
    except TimeoutError:
        raise refusal(web.HTTPRequestTimeout, "The request took too long to arrive.") from None
    except ValidationError:
        raise refusal(web.HTTPBadRequest, "That is not what this page sends. Reload it.") from None


def packed(answer: dict[str, object]) -> web.Response:
    """Answer with JSON that has the whole Lua in it: compressed, a quarter of its size."""
    response = web.json_response(answer)
    response.enable_compression()
    return response


def network_of(settings: Settings) -> dict[str, str]:
    """Say where the page posts what was signed, and where it reads what came of it."""
    return {"mu": settings.ao.mu_url, "cu": settings.ao.cu_url}


def template_as_json(template: Template) -> dict[str, object]:
    """Say what may be signed."""
    return {
        "action": template.action,
        "keys": list(template.keys),
        "lua": template.lua,
        "sha256": template.sha256,
    }


def process_as_json(
    *,
    process: ProcessId,
    label: str | None,
    name: str | None,
    owner: str | None,
    status: Verdict,
    way: Way,
    blocked: str | None = None,
    signed: dict[str, object] | None = None,
) -> dict[str, object]:
    """Say what the page shows of one process. `signed` is the newest message that was signed for it."""
    return {
        "process": process,
        "label": label,
        "name": name,
        "owner": owner,
        "status": status,
        "way": way,
        "blocked": blocked,
        "signed": signed,
    }
