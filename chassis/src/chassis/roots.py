"""The row that stands for an order in a service's database: locked before anything is told about that order.

Because of that lock, the facts about one order enter the outbox in the order in which they became true, whoever
writes them: a request, a batch of events, a timer. Without it, a later fact could get a lower position.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Mapper, class_mapper
from sqlalchemy.orm.interfaces import ORMOption


class Root:
    """Mixin of the one table in a service whose row stands for an order: `orders`, `projects`, `accounts`."""

    order_id: Mapped[UUID]
    order_no: Mapped[str]
    version: Mapped[int]
    """Counts the changes that someone could have overlooked; `If-Match` compares it."""


R = TypeVar("R", bound=Root)


async def lock(session: AsyncSession, root_class: type[R], order_id: UUID, *options: ORMOption) -> R | None:
    """The locked root of `order_id`, or None. Costs no statement when the batch holds it already.

    Lock before you read: what this session has read of the root without a lock is not read again.
    """
    held_root = _held(session).get(order_id)
    if held_root is not None and inspect(held_root).pending:  # it is new: there is nothing to lock or to load
        return cast(R, held_root)
    if options or order_id not in _held(session):
        await lock_all(session, root_class, [order_id], *options)
    return cast("R | None", _held(session)[order_id])


async def lock_all(
    session: AsyncSession,
    root_class: type[R],
    order_ids: Iterable[UUID],
    *options: ORMOption,
    skip_locked: bool = False,
) -> None:
    """Lock and load the roots of `order_ids` in one statement, in key order, so that two batches never deadlock.

    With `skip_locked`, a root that someone else holds counts as not there.
    """
    wanted = set(order_ids)
    if not wanted:
        return
    locking = _locking(class_mapper(root_class), skip_locked, options)
    rows = await session.scalars(locking, {"order_ids": list(wanted)})
    found = {root.order_id: root for root in rows.unique()}
    _held(session).update({order_id: found.get(order_id) for order_id in wanted})


@lru_cache(maxsize=64)
def _locking(root: Mapper[Any], skip_locked: bool, options: tuple[ORMOption, ...]) -> Select[Any]:
    """Built once: to build a statement costs as much as to send it. Options are worth a name, to be the same ones."""
    return (
        select(root)
        .where(root.class_.order_id == func.any(bindparam("order_ids", type_=ARRAY(Uuid))))
        .order_by(root.class_.order_id)
        .options(*options)
        .with_for_update(of=root.class_, skip_locked=skip_locked)  # not the lines that are joined to it
    )


def add(session: AsyncSession, root: Root) -> None:
    """Add a new root. No one else can see it before the commit, so it counts as locked."""
    session.add(root)
    _held(session)[root.order_id] = root


def hide(session: AsyncSession, order_id: UUID) -> None:
    """Let the order count as one that is not there, until its root is added. The caller has its row locked."""
    _held(session)[order_id] = None


def held(session: AsyncSession, order_id: UUID) -> Root | None:
    """The root of `order_id` if this transaction holds its lock."""
    return _held(session).get(order_id)


def _held(session: AsyncSession) -> dict[UUID, Root | None]:
    """None stands for a root that was looked for and is not there."""
    return cast("dict[UUID, Root | None]", session.info.setdefault("roots", {}))
