"""What did not go through: messages that a service could not apply, and orders of other systems that were rejected."""

import asyncio
from typing import Annotated, Any

from fastapi import Path, Response

from chassis import parking
from chassis.errors import Refusal
from chassis.http import Filter
from chassis.paging import Cut
from chassis.release import Release
from contracts.topics import SERVICES
from portal.forwarding import ServiceAway
from portal.pages.calls import CallRefused, refused_here
from portal.pages.sent import Sent
from portal.pages.visit import SentForm, StaffVisit, Visit, pages_router

integration = pages_router(prefix="/office/integration")

Consumer = Annotated[str, Path(pattern=r"^[a-z][a-z0-9._-]{0,99}$")]
SHOWN = 50
OWN = "gateway"
WHAT = {"retry": "retried", "discard": "discarded"}
REASON_CHARACTERS_MAX = 500


class ReasonMissing(Refusal):
    """What is discarded is kept with the reason, in one line."""

    status = 422


@integration.get("")
async def show_integration(visit: StaffVisit, cursor: Filter = None) -> Response:
    visit.must("mend the bus")
    return await _page(visit, cursor=cursor)


@integration.post("/{service}/{consumer}/{what}")
async def mend(service: str, consumer: Consumer, what: str, visit: StaffVisit, sent: SentForm) -> Response:
    """Try a parked key again, or discard the message to blame."""
    visit.must("mend the bus")
    if service not in SERVICES or what not in WHAT:
        raise CallRefused(404, {"type": "not-found", "title": "There is no such command."})
    try:
        if service == OWN:
            await _mend_own(visit, consumer, what, sent)
        else:
            body = {"key": sent.text("about")} | ({"reason": sent.text("reason")} if what == "discard" else {})
            await visit.calls.send(service, f"admin/parked/{consumer}/{what}", body, key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, refused=refusal)
    except Refusal as reason:
        if isinstance(reason, ServiceAway):
            raise
        return await _page(visit, refused=refused_here(reason))
    return visit.done("/office/integration", WHAT[what])


async def _mend_own(visit: Visit, consumer: str, what: str, sent: Sent) -> None:
    """Of the gateway itself, which does not call itself. Raises `ReasonMissing`, and what a release raises."""
    release: Release = visit.request.app.state.release
    key, reason = sent.text("about"), sent.text("reason")
    if what == "discard" and not (reason.isprintable() and 0 < len(reason) <= REASON_CHARACTERS_MAX):
        raise ReasonMissing(f"Write the reason in one line of at most {REASON_CHARACTERS_MAX} characters.")
    async with visit.writing() as session:
        if what == "retry":
            await release.retry(session, consumer, key, however_old=False)
        else:
            await release.discard(session, consumer, key, [], by=visit.viewer.actor, reason=reason)


async def _page(visit: Visit, *, cursor: str | None = None, refused: CallRefused | None = None) -> Response:
    others = [service for service in SERVICES if service != OWN]
    parked, away = [each | {"service": OWN} for each in await _own_parked(visit)], []
    answers = await asyncio.gather(*(_ask(visit, service, "admin/parked") for service in others))
    for service, answer in zip(others, answers, strict=True):
        if answer is None:
            away.append(service)
        else:
            parked += [each | {"service": service} for each in answer["items"]]
    rejected = await _ask(visit, "order", "admin/rejected-requests", cursor=cursor)
    return visit.render(
        "work/integration.html", refused=refused, parked=parked, away=away, rejected=rejected, is_first=cursor is None
    )


async def _ask(visit: Visit, service: str, path: str, **params: Any) -> Any:
    """None while the service does not answer, or not to this visitor."""
    try:
        return await visit.calls.get(service, path, limit=SHOWN, **params)
    except (ServiceAway, CallRefused):
        return None


async def _own_parked(visit: Visit) -> list[dict[str, Any]]:
    async with visit.reading() as session:
        rows = await parking.list_keys(session, Cut(SHOWN, None), consumer=None, key=None)
    shown = ("consumer", "key", "reason", "parked_at", "waits")
    return [{name: getattr(row, name) for name in shown} | {"messages": messages} for row, messages in rows[:SHOWN]]
