"""People who may sign in."""

from typing import Annotated, Any

from fastapi import Response

from chassis.http import Filter, IfMatch, Now, PageCut, Session, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from chassis.versions import etag
from contracts.roles import ADMINISTRATOR
from portal import operations, queries
from portal.models import User
from portal.schemas.access import ChangedUserIn, Name, NewUserIn, PasswordIn, UserOut

users = router(prefix="/users", tags=["users"])

Administrator = Annotated[Principal, holding(ADMINISTRATOR)]


@users.post("", status_code=201, response_model=UserOut)
async def register_user(
    body: NewUserIn, response: Response, session: Session, principal: Administrator, now: Now
) -> User:
    """Of the company; or, with the role `client` and a `client_code`, of a client company."""
    return _tagged(response, await operations.register_user(session, **dict(body), now=now))


@users.get("", response_model=Page[UserOut])
async def list_users(session: Session, principal: Administrator, cut: PageCut, search: Filter = None) -> Any:
    return cut.page(await queries.list_users(session, cut, search=search), lambda user: [user.user_id])


@users.get("/{user_id}", response_model=UserOut)
async def get_user(user_id: Name, response: Response, session: Session, principal: Administrator) -> User:
    return _tagged(response, await queries.get_user(session, user_id))


@users.put("/{user_id}", response_model=UserOut)
async def change_user(
    user_id: Name,
    body: ChangedUserIn,
    response: Response,
    session: Session,
    principal: Administrator,
    expected: IfMatch,
    now: Now,
) -> User:
    """Replaces all but id and password. Whose roles or access change has to sign in again, if they still can."""
    changed = await operations.change_user(
        session, user_id=user_id, **dict(body), by=principal.user_id, expected=expected, now=now
    )
    return _tagged(response, changed)


@users.post("/{user_id}/password", status_code=204)
async def set_password(user_id: Name, body: PasswordIn, session: Session, principal: Administrator, now: Now) -> None:
    """For someone who forgot theirs: whoever is signed in as them no longer is."""
    await operations.set_password(session, user_id=user_id, password=body.password, now=now)


def _tagged(response: Response, user: User) -> User:
    response.headers.update(etag(user.version))
    return user
