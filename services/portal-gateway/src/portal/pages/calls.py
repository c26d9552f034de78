"""What pages ask of the services, in the name of whoever visits them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi.exceptions import RequestValidationError

from chassis.errors import FieldError, Refusal, field_errors
from chassis.problems import InvalidRequest, problem_of
from portal.forwarding import NoSuchAddress, ServiceAway, Services


class CallRefused(Exception):
    """A service said no, and why: `problem` is its RFC 9457 document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(f"{status} {problem.get('title', '')}")

    @property
    def type(self) -> str:
        """What was refused, as the service names it."""
        return str(self.problem.get("type", ""))

    @property
    def title(self) -> str:
        return str(self.problem.get("title", ""))

    @property
    def errors(self) -> dict[str, str]:
        """By field, what is wrong there."""
        return by_field(FieldError(**each) for each in self.problem.get("errors", ()))


def refused_here(reason: Exception) -> CallRefused:
    """The gateway's own refusal, or what no schema or database would take, told as one of a service is."""
    if isinstance(reason, Refusal):
        return CallRefused(reason.status, problem_of(reason))
    if isinstance(reason, RequestValidationError):
        invalid = InvalidRequest("The request is wrong: see the errors.", errors=field_errors(reason, skip=1))
        return CallRefused(invalid.status, problem_of(invalid))
    return CallRefused(422, {"type": "unstorable", "title": "Leave out the NUL character: nothing could keep it."})


def by_field(errors: Iterable[FieldError]) -> dict[str, str]:
    """The reasons by where they are, `/lines/0/item` as forms name it: `lines.0.item`."""
    return {_dotted(each.field): each.reason for each in errors}


def _dotted(pointer: str) -> str:
    return ".".join(part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/"))


class Calls:
    """Each call is made once, with the visitor's token; what changes something carries the key of its form."""

    def __init__(self, services: Services, token: str) -> None:
        self._services = services
        self._token = token

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON of the answer. Raises `CallRefused`, `ServiceAway`."""
        query = urlencode({name: value for name, value in params.items() if value is not None})
        return (await self._call(service, path, "GET", query=query)).json()

    async def find(self, service: str, path: str, **params: Any) -> Any:
        """As `get`, or None where there is nothing, or nothing that the visitor may see."""
        try:
            return await self.get(service, path, **params)
        except CallRefused as refusal:
            if refusal.status in (403, 404):
                return None
            raise

    async def send(self, service: str, path: str, body: Any, *, key: str, query: str = "") -> httpx.Response:
        """POST. Raises `CallRefused`, `ServiceAway`: whether that one did what was asked is not known."""
        headers = {"idempotency-key": key} if key else {}
        return await self._call(service, path, "POST", query=query, body=body, headers=headers)

    async def _call(
        self,
        service: str,
        path: str,
        method: str,
        *,
        query: str = "",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = await self._services.ask(
                service,
                path,
                method=method,
                query=query,
                headers={"authorization": f"Bearer {self._token}", **(headers or {})},
                json=body,
            )
        except NoSuchAddress as reason:
            raise ServiceAway(f"This gateway knows no {service} service.") from reason
        if answer.status_code >= 500:
            raise ServiceAway(f"The {service} service could not answer: {answer.status_code}.")
        if answer.status_code >= 400:
            raise CallRefused(answer.status_code, _problem_of(answer))
        return answer


def _problem_of(answer: httpx.Response) -> dict[str, Any]:
    """What is no problem document, as of a server that could not even read the request, has no reason to show."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"type": "about:blank", "title": answer.reason_phrase}
