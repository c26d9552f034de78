"""The envelope of a message from outside: a CloudEvent 1.0 on Kafka, in binary or in structured mode."""

import base64
import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from chassis.delivery import Letter
from chassis.errors import Undeliverable
from contracts.catalogue import REQUESTS
from contracts.topics import OURS

NAME_CHARACTERS_MAX = 256
STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True)
class Envelope:
    """Who asks, by which id, and for what."""

    source: str
    id: str
    data: bytes
    wrong: str | None
    """Why this is no request that is known here, or None."""

    @classmethod
    def read(cls, letter: Letter) -> "Envelope":
        """Raises `Undeliverable` when nobody could be answered: there is no id, or no source but one of our own."""
        if letter.headers.get("content-type", "").split(";")[0].strip().lower() == STRUCTURED:
            attributes = _members(letter.value)
            data = _data(attributes)
        else:
            attributes = {name.removeprefix("ce_"): value for name, value in letter.headers.items()}
            data = letter.value
        source, message_id = _name(attributes, "source"), _name(attributes, "id")
        if source.strip().casefold() in OURS:
            raise Undeliverable(f"Its source is {source}, which is a name of ours: use one of your own.")
        return cls(source, message_id, data, _what_is_wrong(attributes))


def _members(value: bytes) -> dict[str, Any]:
    try:
        members = json.loads(value.decode())
    except (ValueError, RecursionError) as reason:
        raise Undeliverable(f"It is not JSON in UTF-8: {reason}") from reason
    if not isinstance(members, dict):
        raise Undeliverable("It is not a JSON object.")
    return members


def _data(members: dict[str, Any]) -> bytes:
    if isinstance(encoded := members.get("data_base64"), str):
        try:
            return base64.b64decode(encoded, validate=True)
        except ValueError as reason:
            raise Undeliverable(f"Its data_base64 cannot be read: {reason}") from reason
    return json.dumps(members.get("data"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _name(attributes: dict[str, Any], attribute: str) -> str:
    name = attributes.get(attribute)
    if not isinstance(name, str) or not name:
        raise Undeliverable(f"It has no {attribute}: nobody could be answered.")
    if len(name) > NAME_CHARACTERS_MAX:
        raise Undeliverable(f"Its {attribute} is over {NAME_CHARACTERS_MAX} characters long.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise Undeliverable(f"Its {attribute} holds control characters or lone surrogates.")
    return name


def _what_is_wrong(attributes: dict[str, Any]) -> str | None:
    if attributes.get("specversion") != "1.0":
        return "Its specversion is not 1.0."
    if attributes.get("type") not in REQUESTS:
        return f"Its type is none of {', '.join(REQUESTS)}."
    return None
