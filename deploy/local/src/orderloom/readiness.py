"""What a service says of itself on /readyz."""

from dataclasses import dataclass, field

import httpx

ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Readiness:
    """`checks` says per thing the service needs "ok" or a sentence."""

    is_ready: bool
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def is_paused(self) -> bool:
        return self.checks.get("bus") == "paused"

    @property
    def complaints(self) -> str:
        return "; ".join(f"{name}: {said}" for name, said in self.checks.items() if said != "ok")


def client() -> httpx.AsyncClient:
    """Return a client for `ask`. Loopback is never behind the proxy an environment may name."""
    return httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False)


async def ask(http: httpx.AsyncClient, url: str) -> Readiness:
    """Return the answer of the service at `url`; one that cannot be understood is not ready."""
    try:
        response = await http.get(f"{url}/readyz")
        return Readiness(response.status_code == httpx.codes.OK, dict(response.json()["checks"]))
    except httpx.HTTPError as reason:
        return Readiness(False, {"http": f"does not answer ({type(reason).__name__})"})
    except (ValueError, KeyError, TypeError):
        return Readiness(False, {"http": "answers /readyz with something else"})
