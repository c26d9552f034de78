"""What only the gateway stands on: the services behind it, and the key that it signs with."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import httpx

from chassis.diagnosis import Look, Unwell
from chassis.environment import variable
from portal.settings import Settings
from portal.signing import signer_of

TIMEOUT_SECONDS = 5.0


def looks(settings: Settings) -> Mapping[str, Look]:
    return {"services": lambda: _services(settings), "signing key": lambda: _signing_key(settings)}


async def _services(settings: Settings) -> str:
    if not settings.services:
        raise Unwell(f"{variable('services')} names no service: nothing but the gateway's own pages can be shown.")
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
        found = await asyncio.gather(*(_answers(http, address) for address in settings.services.values()))
    away = [name for name, answers in zip(settings.services, found, strict=True) if not answers]
    if away:
        raise Unwell(f"No answer from {', '.join(away)} at the addresses in {variable('services')}.")
    return f"{', '.join(settings.services)} answer."


async def _answers(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"{address.rstrip('/')}/healthz")).is_success
    except httpx.HTTPError:
        return False


async def _signing_key(settings: Settings) -> str:
    """That whoever reads the keys from the same file recognises what is signed."""
    jwks = await asyncio.to_thread(lambda: signer_of(settings).jwks)
    ours = jwks["keys"][0]["kid"]
    if settings.jwks.startswith(("http://", "https://")):
        return f"It can be read; the set at our address has {len(jwks['keys'])} keys."
    trusted = {key.get("kid") for key in json.loads(await asyncio.to_thread(Path(settings.jwks).read_text))["keys"]}
    if ours not in trusted:
        raise Unwell(f"{settings.jwks} does not hold its public half: what is signed now is trusted by nobody.")
    return "Its public half is among the trusted keys."
