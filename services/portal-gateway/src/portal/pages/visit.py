"""Who visits a page, and what they sent: every page's handler gets these, and answers with them."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from chassis import outbox, telemetry
from chassis.clock import utc_now
from chassis.database import Database
from chassis.errors import NotFound, Refusal, is_transient, is_unstorable
from chassis.http import SAFE_METHODS, wait_until_read
from chassis.ids import new_id
from chassis.principal import NotAllowed, Principal
from chassis.tokens import NotSignedIn, Verifier
from portal import queries
from portal.credentials import COOKIE, csrf_of, is_csrf_of, is_good
from portal.forwarding import ServiceAway
from portal.pages import names, refusals
from portal.pages.calls import CallRefused, Calls, refused_here
from portal.pages.language import N_, Formats, choose
from portal.pages.rendering import render
from portal.pages.rooms import MAY, Room, rooms_of
from portal.pages.sent import Sent
from portal.pages.ways import page_of_form
from portal.queries.access import Reader
from portal.settings import Settings

LANGUAGE_COOKIE = "orderloom_language"
FIELDS_MAX = 2_000


class FormExpired(Refusal):
    """Not one of our forms, or one of a session that is over. Nothing was done."""

    status = 403


class Visit:
    """One request for a page, by someone who is signed in."""

    def __init__(
        self,
        request: Request,
        viewer: Principal,
        token: str,
        formats: Formats,
        frame: Mapping[str, Any],
        readers: Mapping[str, Reader],
    ) -> None:
        self.request = request
        self.viewer = viewer
        self.fmt = formats
        self.calls = Calls(request.app.state.services, token)
        self._frame = frame
        self._readers = readers

    @property
    def _database(self) -> Database:
        database: Database = self.request.app.state.database
        return database

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A short transaction on the gateway's own tables: no connection is held while services are asked."""
        return self._database.transaction()

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction in the visitor's name, on what the gateway itself knows: users and keys."""
        cause = outbox.Cause(id=self.request.state.request_id, actor=self.viewer.actor)
        return self._database.transaction(cause)

    def holds(self, *roles: str) -> bool:
        return not self.viewer.roles.isdisjoint(roles)

    def may(self, what: str) -> bool:
        """Whether it makes sense to offer it. The service that does it asks again."""
        return self.holds(*MAY[what])

    def must(self, *needs: str) -> None:
        """Raises `NotAllowed` for whom none of it is offered."""
        if not any(self.may(each) for each in needs):
            raise NotAllowed("This page is for those whose work it is.")

    @property
    def rooms(self) -> list[Room]:
        return rooms_of(self.viewer, self.fmt, approvals=self._frame["approvals_waiting"])

    @property
    def said(self) -> str:
        """What has just been done, in words."""
        return self.fmt.text(names.SAID.get(self._frame["said"], ""))

    def order_in_words(self, status: str) -> str:
        return self.fmt.text(names.ORDER_STATUS.get(status, status))

    def task_in_words(self, status: str) -> str:
        return self.fmt.text(names.TASK_STATUS.get(status, status))

    def task_mark(self, status: str) -> str:
        return names.TASK_MARK.get(status, "next")

    def rule_in_words(self, rule: str) -> str:
        return self.fmt.text(names.DUE_RULE.get(rule, rule))

    def role_in_words(self, role: str) -> str:
        return self.fmt.text(names.ROLE.get(role, role.replace("_", " ")))

    def words_of_roles(self, roles: Iterable[str]) -> list[str]:
        return [self.role_in_words(role) for role in roles]

    def names_of_roles(self, steps: Iterable[Mapping[str, Any]]) -> list[str]:
        return [self.role_in_words(step["role"]) for step in steps]

    @property
    def roles_in_words(self) -> list[str]:
        return self.words_of_roles(sorted(self.viewer.roles))

    def fact_in_words(self, type: str) -> str:
        return self.fmt.text(names.FACT.get(type, type))

    def fact_needed(self, fact: str) -> str:
        words = self.fmt.text(names.STAGE_FACT.get(fact, fact))
        return words[:1].upper() + words[1:]

    def facts_in_words(self, facts: Iterable[str]) -> list[str]:
        return [self.fmt.text(names.STAGE_FACT.get(fact, fact)) for fact in facts]

    def actor_in_words(self, actor: str) -> str:
        """People by their name; systems as what they are called."""
        kind, _, name = actor.partition(":")
        if kind == "system":
            return self.fmt.text(N_("the platform"))
        is_named = name in self._readers and self.viewer.kind == "user"  # a client is told of nobody by name
        return self._readers[name].name if is_named else name or actor

    def desk_in_words(self, *, approvals: int, late: int, tasks: int, overdue: int) -> list[str]:
        """What waits, in one line."""
        plural = self.fmt.plural
        said = [
            plural("%(num)s order waits for your decision", "%(num)s orders wait for your decision", approvals),
            plural("%(num)s open task", "%(num)s open tasks", tasks),
            plural("%(num)s late order", "%(num)s late orders", late),
            plural("%(num)s invoice overdue", "%(num)s invoices overdue", overdue),
        ]
        counts = (approvals, tasks, late, overdue)
        return [words for words, count in zip(said, counts, strict=True) if count] or [
            self.fmt.text(N_("nothing waits for you"))
        ]

    def refusal_in_words(self, refused: CallRefused) -> str:
        return refusals.told(refused, self.fmt)

    def refusal_in_particular(self, refused: CallRefused) -> str:
        return refusals.particulars(refused)

    def errors_in_words(self, errors: Mapping[str, str]) -> dict[str, str]:
        """What is wrong, by field."""
        return refusals.told_of_fields(errors, self.fmt)

    def render(
        self, template: str, *, status: int = 200, refused: CallRefused | None = None, **context: Any
    ) -> HTMLResponse:
        """The page, with the status of the refusal it tells of, if there is one."""
        status = refused.status if refused else status
        errors = self.errors_in_words(refused.errors) if refused else {}
        frame = {"visit": self, "refused": refused, "errors": errors, "errors_are_beside": False, **self._frame}
        return render(template, self.fmt, status=status, **(frame | context))

    def done(self, path: str, said: str, answer: Any = None) -> RedirectResponse:
        """To the page that shows it, once what the answer's service has told is read here."""
        event_id = answer.headers.get("orderloom-event") if answer is not None else None
        query = urlencode({"said": said} | ({"after": event_id} if event_id else {}))
        address, mark, part = path.partition("#")
        return RedirectResponse(f"{address}{'&' if '?' in address else '?'}{query}{mark}{part}", 303)


class PageRoute(APIRoute):
    """Finds out who visits, and makes a page of whatever goes wrong."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        path = self.path_format

        async def answer(request: Request) -> Response:
            service: str = request.app.state.service
            timed = telemetry.REQUEST_SECONDS.labels(service, request.method, path).time()
            with telemetry.span(f"{request.method} {path}", caused_by=request.headers, service=service), timed:
                response = await _answer(request, endpoint)
            telemetry.REQUESTS.labels(service, request.method, path, response.status_code).inc()
            return response

        return answer


async def _answer(request: Request, endpoint: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    request.state.request_id = str(new_id())
    try:
        token, form = await _token_and_form(request)
        visit = await _visit(request, token)
    except (NotSignedIn, FormExpired) as reason:
        return to_sign_in(request, is_expired=isinstance(reason, FormExpired))
    request.state.visit, request.state.sent = visit, Sent(form)
    try:
        return await endpoint(request)
    except Exception as reason:
        return _page_of(visit, reason)


async def _token_and_form(request: Request) -> tuple[str, FormData]:
    """Raises `NotSignedIn`, and `FormExpired` for what no form of ours sends."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token if scheme.lower() == "bearer" else ""
    if request.method in SAFE_METHODS:
        return token, FormData()
    form = await request.form(max_fields=FIELDS_MAX, max_files=0)
    cookie = request.cookies.get(COOKIE, "")
    if token:  # a header that no browser sends by itself, or a cookie with the header of our scripts
        return token, form
    if not cookie:
        raise NotSignedIn("Sign in to do this.")
    csrf = form.get("csrf", "")
    if not isinstance(csrf, str) or not is_csrf_of(cookie, csrf):
        raise FormExpired("This form is of another session: nothing was done.")
    if not await is_good(request.app, cookie):
        raise NotSignedIn("Sign in again.")
    return cookie, form


async def _visit(request: Request, token: str) -> Visit:
    """Raises `NotSignedIn`."""
    verifier: Verifier = request.app.state.verifier
    viewer = await verifier.principal(token) if token else None
    if viewer is None or viewer.kind == "integration":
        raise NotSignedIn("Sign in to see this page.")
    await _see_own_writes(request)  # before anything that the page shows is read
    database: Database = request.app.state.database
    async with database.transaction() as session:
        readers = await queries.READERS.get(session)
        approvals = await queries.count_approvals(session, approver=viewer) if viewer.kind == "user" else 0
    reader = readers.get(viewer.user_id)  # nobody, whose token another issuer gave
    formats = formats_of(request, profile=reader.locale if reader else None)
    cookie = request.cookies.get(COOKIE)
    frame = {
        "viewer": viewer,
        "here": _here(request),
        "viewer_name": reader.name if reader else viewer.user_id,
        "path": request.url.path,
        "csrf": csrf_of(cookie) if cookie else "",
        "new_key": lambda: str(new_id()),
        "said": request.query_params.get("said", ""),
        "approvals_waiting": approvals,
    }
    return Visit(request, viewer, token, formats, frame, readers)


def formats_of(request: Request, *, profile: str | None = None) -> Formats:
    """In the language chosen for this browser, else of the reader's `profile`, else the browser's."""
    settings: Settings = request.app.state.settings
    asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE) or profile
    language = choose(asked=asked, accepted=request.headers.get("accept-language", ""))
    return Formats(language, zone=settings.company_zone, now=utc_now())


def _here(request: Request) -> str:
    """Where the reader is: of a form that was sent, the page it stood on."""
    if request.method not in SAFE_METHODS:
        return page_of_form(request.headers.get("referer", ""), request.url.netloc)
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def _see_own_writes(request: Request) -> None:
    """Who has just changed something sees it; when that takes too long, the page shows what is known and is live."""
    after = request.query_params.get("after")
    if after is None:
        return
    try:
        event_id = UUID(after)
    except ValueError:
        return
    await wait_until_read(request.app.state.database, event_id)


def _page_of(visit: Visit, reason: Exception) -> Response:
    """Raises `reason` again where there is no page to be made of it."""
    if isinstance(reason, CallRefused):
        template = {403: "errors/forbidden.html", 404: "errors/not_found.html"}.get(
            reason.status, "errors/refused.html"
        )
        return visit.render(template, refused=reason)
    if isinstance(reason, NotFound) or _is_no_address(reason):
        return visit.render("errors/not_found.html", status=404)
    if isinstance(reason, NotAllowed):
        return visit.render("errors/forbidden.html", status=403)
    if isinstance(reason, ServiceAway) or is_transient(reason):
        page = visit.render("errors/away.html", status=503)
        page.headers["Retry-After"] = str(Refusal.retry_after_seconds)
        return page
    if isinstance(reason, Refusal | RequestValidationError) or is_unstorable(reason):
        return visit.render("errors/refused.html", refused=refused_here(reason))
    raise reason


def _is_no_address(reason: Exception) -> bool:
    """Whether a part of the path is nothing that could be there."""
    return isinstance(reason, RequestValidationError) and any(each["loc"][0] == "path" for each in reason.errors())


def to_sign_in(request: Request, *, is_expired: bool = False) -> Response:
    """And back, once they have. What was sent is not done then: the page it came from is shown again."""
    return RedirectResponse(f"/sign-in?next={quote(_here(request), safe='')}{'&expired=1' if is_expired else ''}", 303)


async def _visit_of(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


async def _staff(visit: Annotated[Visit, Depends(_visit_of)]) -> Visit:
    if visit.viewer.kind != "user":
        raise NotFound("This page is for people of the company.")
    return visit


async def _sent(request: Request) -> Sent:
    sent: Sent = request.state.sent
    return sent


AnyVisit = Annotated[Visit, Depends(_visit_of)]
StaffVisit = Annotated[Visit, Depends(_staff)]
"""By someone of the company: to others there is no such page."""
SentForm = Annotated[Sent, Depends(_sent)]


def pages_router(**options: Any) -> APIRouter:
    return APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=HTMLResponse, **options)
