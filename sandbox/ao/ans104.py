"""ANS-104 data items: read, checked and made, for RSA-PSS with 4096 bits (signature type 1).

The format is the public standard (ANS-104); the signed message is the deep hash (SHA-384) of its fields.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ARWEAVE = 1
SIGNATURE_LENGTH = 512
OWNER_LENGTH = 512
_TAGS_AT_MOST = 128
_TAG_BYTES_AT_MOST = 4096
_EXPONENT = 65537


class BadItem(Exception):
    """The bytes are no data item whose signature holds; `str()` says why."""


@dataclass(frozen=True, slots=True)
class DataItem:
    """A data item whose signature holds. `owner` is the address, `target` a process id or empty."""

    id: str
    owner: str
    target: str
    anchor: bytes
    tags: tuple[tuple[str, str], ...]
    data: bytes

    def tag(self, name: str) -> str | None:
        """Give the first tag of that name, compared without case."""
        return next((value for key, value in self.tags if key.lower() == name.lower()), None)


def encode64(data: bytes) -> str:
    """Give base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode64(text: str) -> bytes:
    """Read base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def address_of(modulus: bytes) -> str:
    """Give the wallet address of a public key."""
    return encode64(hashlib.sha256(modulus).digest())


def deep_hash(value: bytes | Sequence[Any]) -> bytes:
    """Hash nested lists of bytes, each with its kind and size, with SHA-384."""
    if isinstance(value, bytes):
        tag = hashlib.sha384(b"blob" + str(len(value)).encode()).digest()
        return hashlib.sha384(tag + hashlib.sha384(value).digest()).digest()
    accumulated = hashlib.sha384(b"list" + str(len(value)).encode()).digest()
    for item in value:
        accumulated = hashlib.sha384(accumulated + deep_hash(item)).digest()
    return accumulated


def read_item(raw: bytes) -> DataItem:
    """Read a data item and check its signature. Raises BadItem."""
    reader = _Reader(raw)
    kind = struct.unpack("<H", reader.take(2))[0]
    if kind != ARWEAVE:
        raise BadItem(f"signature type {kind} is not supported")
    signature, modulus = reader.take(SIGNATURE_LENGTH), reader.take(OWNER_LENGTH)
    target, anchor = reader.optional(32), reader.optional(32)
    count, size = struct.unpack("<QQ", reader.take(16))
    if count > _TAGS_AT_MOST or size > _TAG_BYTES_AT_MOST:
        raise BadItem("too many tags")
    raw_tags = reader.take(size)
    tags = _read_tags(raw_tags)
    if len(tags) != count:
        raise BadItem("the number of tags is not the one announced")
    data = reader.rest()
    message = deep_hash([b"dataitem", b"1", b"1", modulus, target, anchor, raw_tags, data])
    _check(signature, modulus, message)
    return DataItem(
        id=encode64(hashlib.sha256(signature).digest()),
        owner=address_of(modulus),
        target=encode64(target),
        anchor=anchor,
        tags=tags,
        data=data,
    )


def make_item(
    key: rsa.RSAPrivateKey, *, target: str, tags: Sequence[tuple[str, str]], data: bytes = b" ", anchor: bytes = b""
) -> bytes:
    """Sign a data item as a wallet does."""
    modulus = key.public_key().public_numbers().n.to_bytes(OWNER_LENGTH, "big")
    raw_target, raw_tags = decode64(target), _write_tags(tags)
    message = deep_hash([b"dataitem", b"1", b"1", modulus, raw_target, anchor, raw_tags, data])
    signature = key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return b"".join(
        (
            struct.pack("<H", ARWEAVE),
            signature,
            modulus,
            b"\1" + raw_target if raw_target else b"\0",
            b"\1" + anchor if anchor else b"\0",
            struct.pack("<QQ", len(tags), len(raw_tags)),
            raw_tags,
            data,
        )
    )


def make_key() -> rsa.RSAPrivateKey:
    """Make a wallet's key."""
    return rsa.generate_private_key(_EXPONENT, OWNER_LENGTH * 8)


def jwk_of(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Give a key as the JWK that browsers import."""
    private, public = key.private_numbers(), key.public_key().public_numbers()
    numbers = {
        "n": public.n,
        "e": public.e,
        "d": private.d,
        "p": private.p,
        "q": private.q,
        "dp": private.dmp1,
        "dq": private.dmq1,
        "qi": private.iqmp,
    }
    return {"kty": "RSA"} | {
        name: encode64(number.to_bytes((number.bit_length() + 7) // 8, "big")) for name, number in numbers.items()
    }


def address_of_key(key: rsa.RSAPrivateKey) -> str:
    """Give the wallet address of a private key."""
    return address_of(key.public_key().public_numbers().n.to_bytes(OWNER_LENGTH, "big"))


def random_id() -> str:
    """Make an id that looks like any other."""
    return encode64(secrets.token_bytes(32))


def _check(signature: bytes, modulus: bytes, message: bytes) -> None:
    public = rsa.RSAPublicNumbers(_EXPONENT, int.from_bytes(modulus, "big"))
    try:
        # Any salt length: wallets sign with 32 bytes, older tools with the longest that fits.
        public.public_key().verify(
            signature, message, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256()
        )
    except (InvalidSignature, ValueError) as error:
        raise BadItem("the signature does not hold") from error


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._raw):
            raise BadItem("the data item ends too soon")
        self._at += size
        return self._raw[self._at - size : self._at]

    def optional(self, size: int) -> bytes:
        present = self.take(1)
        if present not in (b"\0", b"\1"):
            raise BadItem("a presence byte is neither 0 nor 1")
        return self.take(size) if present == b"\1" else b""

    def rest(self) -> bytes:
        return self.take(len(self._raw) - self._at)

    def integer(self) -> int:
        """Read one of Avro's zig-zag integers."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return (value >> 1) ^ -(value & 1)
            if shift > 63:
                raise BadItem("an integer is too long")

    def text(self) -> str:
        size = self.integer()
        if size < 0:
            raise BadItem("a tag has a negative length")
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise BadItem("a tag is not UTF-8") from error


def _read_tags(raw: bytes) -> tuple[tuple[str, str], ...]:
    if not raw:
        return ()
    reader, tags = _Reader(raw), list[tuple[str, str]]()
    while count := reader.integer():
        if count < 0:
            reader.integer()  # the block's size in bytes, which Avro writes after a negative count
        if abs(count) > _TAGS_AT_MOST:
            raise BadItem("too many tags")
        tags.extend((reader.text(), reader.text()) for _ in range(abs(count)))
    return tuple(tags)


def _write_tags(tags: Sequence[tuple[str, str]]) -> bytes:
    if not tags:
        return b""
    words = [word.encode() for tag in tags for word in tag]
    return _integer(len(tags)) + b"".join(_integer(len(word)) + word for word in words) + b"\0"


def _integer(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
