"""The office: users and clients."""

from typing import Any

from fastapi import Response
from pydantic import ValidationError

from chassis.clock import utc_now
from chassis.errors import Refusal, field_errors
from chassis.http import Filter, PageCut
from chassis.versions import Expected
from contracts import roles
from portal import operations, queries
from portal.pages import names
from portal.pages.calls import CallRefused, by_field, refused_here
from portal.pages.sent import Sent
from portal.pages.visit import SentForm, StaffVisit, Visit, pages_router
from portal.schemas.access import ChangedUserIn, NewUserIn, PasswordIn

office = pages_router(prefix="/office")

NOBODY_YET: dict[str, Any] = {
    "user_id": "",
    "name": "",
    "email": None,
    "roles": [],
    "client_code": None,
    "active": True,
}


@office.get("")
async def show_office(visit: StaffVisit) -> Response:
    visit.must("let people in", "mend the bus")
    return visit.render("work/office.html")


@office.get("/users")
async def list_users(visit: StaffVisit, cut: PageCut, search: Filter = None) -> Response:
    visit.must("let people in")
    async with visit.reading() as session:
        rows = await queries.list_users(session, cut, search=search)
    page = cut.page(rows, lambda user: [user.user_id])
    return visit.render("work/users.html", users=page["items"], cursor=page["next_cursor"], search=search or "")


@office.get("/users/new")
async def show_new_user(visit: StaffVisit) -> Response:
    visit.must("let people in")
    return await _user_form(visit, {"locale": visit.fmt.language, "roles": []})


@office.post("/users/new")
async def register_user(visit: StaffVisit, sent: SentForm) -> Response:
    visit.must("let people in")
    values = _values(sent)
    try:
        body = NewUserIn(user_id=sent.text("user_id"), password=sent.raw("password") or None, **values)
        async with visit.writing() as session:
            await operations.register_user(session, **dict(body), now=utc_now())
    except (ValidationError, Refusal) as reason:
        return await _user_form(visit, values | {"user_id": sent.text("user_id")}, reason=reason)
    return visit.done("/office/users", "saved")


@office.get("/users/{user_id}")
async def show_user(user_id: str, visit: StaffVisit) -> Response:
    visit.must("let people in")
    async with visit.reading() as session:
        user = await queries.get_user(session, user_id)
    shown = ("user_id", "version", "name", "email", "locale", "roles", "client_code", "active")
    return await _user_form(visit, {name: getattr(user, name) for name in shown}, is_known=True)


@office.post("/users/{user_id}")
async def change_user(user_id: str, visit: StaffVisit, sent: SentForm) -> Response:
    visit.must("let people in")
    values = _values(sent)
    try:
        body = ChangedUserIn(active=sent.has("active"), **values)
        async with visit.writing() as session:
            await operations.change_user(
                session,
                user_id=user_id,
                **dict(body),
                by=visit.viewer.user_id,
                expected=Expected(sent.version, by_header=True),
                now=utc_now(),
            )
    except (ValidationError, Refusal) as reason:
        known = {"user_id": user_id, "version": sent.version, "active": sent.has("active")}
        return await _user_form(visit, values | known, reason=reason, is_known=True)
    return visit.done("/office/users", "saved")


@office.post("/users/{user_id}/password")
async def set_password(user_id: str, visit: StaffVisit, sent: SentForm) -> Response:
    visit.must("let people in")
    try:
        body = PasswordIn(password=sent.raw("password"))
    except ValidationError as reason:
        async with visit.reading() as session:
            user = await queries.get_user(session, user_id)
        shown = ("user_id", "version", "name", "email", "locale", "roles", "client_code", "active")
        return await _user_form(visit, {name: getattr(user, name) for name in shown}, reason=reason, is_known=True)
    async with visit.writing() as session:
        await operations.set_password(session, user_id=user_id, password=body.password, now=utc_now())
    return visit.done("/office/users", "saved")


@office.get("/clients")
async def list_clients(visit: StaffVisit, cursor: Filter = None, search: Filter = None) -> Response:
    visit.must("register clients", "let people in")
    return await _clients(visit, cursor=cursor, search=search)


@office.post("/clients")
async def register_client(visit: StaffVisit, sent: SentForm) -> Response:
    visit.must("register clients")
    body = {"code": sent.text("code"), "name": sent.text("name")}
    if sent.text("tax_id"):
        body["tax_id"] = sent.text("tax_id")
    try:
        await visit.calls.send("order", "clients", body, key=sent.key)
    except CallRefused as refusal:
        return await _clients(visit, refused=refusal, filled=sent.fields)
    return visit.done("/office/clients", "saved")


async def _clients(
    visit: Visit,
    *,
    cursor: str | None = None,
    search: str | None = None,
    refused: CallRefused | None = None,
    filled: dict[str, str] | None = None,
) -> Response:
    page = await visit.calls.get("order", "clients", limit=50, cursor=cursor, search=search)
    return visit.render(
        "work/clients.html",
        refused=refused,
        errors_are_beside=True,
        filled=filled or {},
        clients=page["items"],
        cursor=page["next_cursor"],
    )


async def _user_form(
    visit: Visit, values: dict[str, Any], *, reason: ValidationError | Refusal | None = None, is_known: bool = False
) -> Response:
    errors: dict[str, str] = {}
    title = ""
    if isinstance(reason, ValidationError):
        errors = visit.errors_in_words(by_field(field_errors(reason)))
    elif reason is not None:
        refused = refused_here(reason)
        title, errors = visit.refusal_in_words(refused), visit.errors_in_words(refused.errors)
    return visit.render(
        "work/user.html",
        status=422 if isinstance(reason, ValidationError) else (reason.status if reason else 200),
        user=NOBODY_YET | values,
        errors=errors,
        wrong=title,
        is_known=is_known,
        known_roles=names.ROLE,
        client_role=roles.CLIENT,
    )


def _values(sent: Sent) -> dict[str, Any]:
    return {
        "name": sent.text("name"),
        "email": sent.optional("email"),
        "locale": sent.text("locale"),
        "roles": sent.texts("roles"),
        "client_code": sent.optional("client_code"),
    }
