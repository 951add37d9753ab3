"""The page's few files: read once, compressed once, and asked about each time whether they changed."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path

from aiohttp import ETag, web
from aiohttp.typedefs import Handler


def file_handler(path: Path) -> Handler:
    """Give the handler that sends a file, compressed where the browser takes that."""
    plain = path.read_bytes()
    packed = gzip.compress(plain, mtime=0)
    tag = hashlib.sha256(plain).hexdigest()[:32]
    kind = mimetypes.types_map.get(path.suffix, "text/plain").replace("application/javascript", "text/javascript")

    async def send(request: web.Request) -> web.StreamResponse:
        if any(each.value in (tag, "*") for each in request.if_none_match or ()):
            response = web.Response(status=304)
        elif "gzip" in request.headers.get("Accept-Encoding", ""):
            response = web.Response(body=packed, content_type=kind, headers={"Content-Encoding": "gzip"})
        else:
            response = web.Response(body=plain, content_type=kind)
        if response.status == 200:
            response.charset = "utf-8"
        response.etag = ETag(tag, is_weak=True)  # one tag for both encodings
        # `no-cache` asks each time whether it changed: a new release's page never runs an old script.
        response.headers.update({"Cache-Control": "no-cache", "Vary": "Accept-Encoding"})
        return response

    return send
