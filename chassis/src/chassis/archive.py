"""Entries of threads on their way from the archive to a service that makes its read model again from them.

Each travels alone, since a thread can be larger than any message; the original envelope is in headers of its own.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.delivery import Delivery
from contracts import topics

TYPE = "thread.archived.v1"
ENVELOPE = {
    "ce_id": "ce_archivedid",
    "ce_type": "ce_archivedtype",
    "ce_source": "ce_archivedsource",
    "ce_time": "ce_archivedtime",
    "ce_actor": "ce_archivedactor",
    "ce_causationid": "ce_archivedcausationid",
}
"""Of the fact, and of the record that it travels in."""


@dataclass(frozen=True, kw_only=True)
class ArchivedFact:
    """`fact` is entry number `position` of `length`, as the thread was when it was read."""

    rebuild_id: UUID
    position: int
    length: int
    is_forced: bool
    fact: Delivery

    @property
    def is_last(self) -> bool:
        return self.position == self.length

    @classmethod
    def of(cls, record: Delivery) -> "ArchivedFact":
        """What `tell` sent."""
        headers = {name: record.headers.get(other, "") for name, other in ENVELOPE.items()}
        return cls(
            rebuild_id=UUID(record.headers["ce_rebuildid"]),
            position=int(record.headers["ce_position"]),
            length=int(record.headers["ce_length"]),
            is_forced=record.headers["ce_forced"] == "true",
            fact=Delivery(topics.ORDERS, record.key, headers, record.body),
        )


def tell(session: AsyncSession, archived: ArchivedFact, *, by: str, to: str) -> None:
    """The service `by`, which keeps the archive, tells it to the service `to`."""
    topic, key, body = topics.rebuild(to), archived.fact.key, archived.fact.body
    outbox.forward(session, topic=topic, key=key, type=TYPE, headers=envelope(archived, by=by), body=body)


def envelope(archived: ArchivedFact, *, by: str) -> dict[str, str]:
    """The headers of the record, but for those that every record has of its own."""
    return {other: archived.fact.headers.get(name, "") for name, other in ENVELOPE.items()} | {
        "ce_source": by,
        "ce_actor": f"system:{by}",
        "ce_causationid": str(archived.rebuild_id),
        "ce_rebuildid": str(archived.rebuild_id),
        "ce_position": str(archived.position),
        "ce_length": str(archived.length),
        "ce_forced": str(archived.is_forced).lower(),
    }
