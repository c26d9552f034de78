"""Who plays which role: the demo people of the company, and one person for each client company."""

import asyncio
import hashlib
from typing import Any

from orderloom import defaults
from orderloom.defaults import ADMINISTRATOR, DEMO_PASSWORD
from orderloom.gateway import Gateway, Refused

CLIENT_KNOWN_ATTEMPTS_MAX = 200
POLL_SECONDS = 0.1


class Cast:
    """Knows a holder of every role."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._people = defaults.people()
        self._client_people: dict[str, str] = {}
        self._registering = asyncio.Lock()

    @property
    def seller(self) -> str:
        return self.holder("sales")

    @property
    def reader(self) -> str:
        """Who looks at how things stand."""
        return self.holder("project_manager")

    def holder(self, role: str, *, other_than: str = "") -> str:
        """Someone with `role`, not the actor `other_than`. Raises `LookupError`."""
        for person in self._people:
            if role in person["roles"] and f"user:{person['user_id']}" != other_than:
                user: str = person["user_id"]
                return user
        raise LookupError(f"Nobody among the demo people is a {role}.")

    def anyone(self, role: str) -> str | None:
        """Someone with `role`, if there is one."""
        try:
            return self.holder(role)
        except LookupError:
            return None

    async def client_person(self, client: dict[str, Any], *, after: str | None) -> str:
        """A person of the client company, registered when there is none. The gateway must have heard of the company."""
        code: str = client["code"]
        async with self._registering:
            if code not in self._client_people:
                user = f"client.{hashlib.sha256(code.encode()).hexdigest()[:12]}"
                await self._register(user, client)
                self._client_people[code] = user
        return self._client_people[code]

    async def _register(self, user: str, client: dict[str, Any]) -> None:
        body = {
            "user_id": user,
            "name": client["name"][:100],
            "email": f"{user}@client.orderloom.example",
            "locale": "zh-CN",
            "roles": ["client"],
            "client_code": client["code"],
            "password": DEMO_PASSWORD,
        }
        for _ in range(CLIENT_KNOWN_ATTEMPTS_MAX):
            try:
                await self._gateway.post(ADMINISTRATOR, "/users", body)
                return
            except Refused as refusal:
                if refusal.status == 409:
                    return  # in an earlier run
                if refusal.status not in (404, 422):
                    raise
                last = refusal
            await asyncio.sleep(POLL_SECONDS)
        raise last
