"""What a project hands over: versions of its deliverables, and then the delivery itself."""

from uuid import UUID

from fastapi import Response

from portal.pages.visit import SentForm, StaffVisit, pages_router

handing_in = pages_router()


@handing_in.post("/deliverables/{deliverable_id}/submissions")
async def hand_in(deliverable_id: UUID, visit: StaffVisit, sent: SentForm) -> Response:
    """The next version of it: where it is to be found."""
    order_id = sent.id("order_id")
    body = {"reference": sent.text("reference")}
    answer = await visit.calls.send("project", f"deliverables/{deliverable_id}/submissions", body, key=sent.key)
    return visit.done(f"/orders/{order_id}?tab=documents", "handed_in", answer)


@handing_in.post("/deliveries/{order_id}")
async def deliver(order_id: UUID, visit: StaffVisit, sent: SentForm) -> Response:
    """Ask the client to sign off."""
    answer = await visit.calls.send("project", f"orders/{order_id}/delivery", {}, key=sent.key)
    return visit.done(f"/orders/{order_id}?tab=documents", "delivered", answer)
