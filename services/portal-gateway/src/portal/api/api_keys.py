"""Keys by which systems outside act."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request

from chassis.errors import Invalid
from chassis.http import Now, PageCut, Session, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from contracts.roles import ADMINISTRATOR
from portal import operations, queries
from portal.schemas.access import ApiKeyIn, ApiKeyOut, IssuedApiKeyOut

api_keys = router(prefix="/api-keys", tags=["API keys"])

Administrator = Annotated[Principal, holding(ADMINISTRATOR)]


class ShownOnce(Invalid):
    """The answer would have to be kept, and with it the key."""


@api_keys.post("", status_code=201)
async def issue_api_key(
    body: ApiKeyIn, request: Request, session: Session, principal: Administrator, now: Now
) -> IssuedApiKeyOut:
    """The system sends the key as `X-Api-Key`. It is shown here once; only a hash of it is kept."""
    if "idempotency-key" in request.headers:
        raise ShownOnce("Leave Idempotency-Key out: a key that was shown is not shown again. Withdraw one too many.")
    key, secret = await operations.issue_api_key(
        session, system=body.system, scopes=body.scopes, by=principal.actor, now=now
    )
    return IssuedApiKeyOut(**ApiKeyOut.model_validate(key).model_dump(), key=secret)


@api_keys.get("", response_model=Page[ApiKeyOut])
async def list_api_keys(session: Session, principal: Administrator, cut: PageCut) -> Any:
    return cut.page(await queries.list_api_keys(session, cut), lambda key: [key.key_id])


@api_keys.delete("/{key_id}", status_code=204)
async def withdraw_api_key(key_id: UUID, session: Session, principal: Administrator) -> None:
    await operations.withdraw_api_key(session, key_id=key_id)
