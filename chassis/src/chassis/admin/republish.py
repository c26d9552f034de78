"""Facts told again by the service that told them: for when the bus has lost some."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from chassis import outbox
from chassis.http import Operator, Session, router
from contracts import topics

republish = router(prefix="/admin/republish", tags=["admin"])


class RepublishIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = None
    """What was recorded then or later."""
    order_id: UUID | None = None
    topics: Annotated[list[Literal["orders", "directory", "integration.outbound"]], Field(min_length=1)] = [
        topics.ORDERS,  # type: ignore[list-item]
        topics.DIRECTORY,  # type: ignore[list-item]
    ]
    """Systems outside are told again only when `integration.outbound` is named: not all of them know what they had."""

    @model_validator(mode="after")
    def _is_narrowed_down(self) -> Self:
        if self.since is None and self.order_id is None:
            raise ValueError("say since when, or about which order")
        return self


class RepublishedOut(BaseModel):
    republished: int


@republish.post("", status_code=202)
async def republish_facts(body: RepublishIn, session: Session, principal: Operator) -> RepublishedOut:
    """Publish again, in order, what this service has told. Whoever knows it already drops it."""
    count = await outbox.tell_again(session, topic_names=body.topics, since=body.since, order_id=body.order_id)
    return RepublishedOut(republished=count)
