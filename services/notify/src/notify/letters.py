"""E-mails on their way: each leaves alone, or with others where many wait for the same person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, column, func, update
from sqlalchemy.ext.asyncio import AsyncSession

from notify import queries, texts
from notify.models import Notice, NoticeStatus

TOGETHER_MAX = 100
"""Notices in one e-mail."""

_CLAIMED = (
    func.unnest(bindparam("notice_ids", type_=ARRAY(Uuid)), bindparam("enclosed_in", type_=ARRAY(Uuid)))
    .table_valued(column("notice_id", Uuid), column("enclosed_in", Uuid))
    .render_derived("claimed")
)
KEEP_CLAIMED = (
    update(Notice)
    .where(Notice.notice_id == _CLAIMED.c.notice_id)
    .values(
        status=NoticeStatus.SENDING,
        not_before=bindparam("until", type_=DateTime(timezone=True)),
        enclosed_in=_CLAIMED.c.enclosed_in,
    )
    .execution_options(synchronize_session=False)
)
KEEP_SENT = (
    update(Notice)
    .where(Notice.notice_id == func.any(bindparam("notice_ids", type_=ARRAY(Uuid))))
    .values(
        status=NoticeStatus.SENT,
        sent_at=bindparam("now", type_=DateTime(timezone=True)),
        failure=None,
        attempts=Notice.attempts + 1,
    )
    .execution_options(synchronize_session=False)
)
"""Both are of a whole round: every e-mail begins so, and nearly every one ends so."""


@dataclass(frozen=True)
class Letter:
    """An e-mail in the hands of one worker, with everything that is told in it; nearly always one notice."""

    notices: Sequence[Notice]
    """The longest waiting first. Its id is the e-mail's, also when it is sent once more: the others are enclosed."""
    address: str

    @property
    def letter_id(self) -> UUID:
        return self.notices[0].notice_id

    @property
    def words(self) -> texts.Words:
        written = [texts.Words(each.locale, each.subject, each.text) for each in self.notices]
        return texts.together(written) if len(written) > 1 else written[0]

    def claim(self, *, now: datetime) -> None:
        """For a while it is one worker's."""
        first, *others = self.notices
        first.claim(now=now, enclosed_in=None)
        for notice in others:
            notice.claim(now=now, enclosed_in=first.notice_id)

    def begin(self) -> None:
        """From now on it may have arrived, whatever is heard of it."""
        for notice in self.notices:
            notice.begin()

    def send(self, *, now: datetime) -> None:
        """The mail server has taken it."""
        for notice in self.notices:
            notice.send(now=now)

    def try_later(self, reason: str, *, now: datetime) -> None:
        for notice in self.notices:
            notice.try_later(reason, now=now)

    def fail(self, reason: str) -> None:
        for notice in self.notices:
            notice.fail(reason)


async def claim(session: AsyncSession, *, at_most: int, together_from: int, now: datetime) -> Sequence[Letter]:
    """What is to be sent now, up to so many notices. Nobody else sends it until the claim runs out.

    Where `together_from` or more wait for one person, they leave together. What may have left before leaves again as
    it did: the same notices, and the same id.
    """
    due = queries.due_mail(now).limit(at_most).with_for_update(of=Notice, skip_locked=True)
    alone = [Letter([notice], address) for notice, address in await session.execute(due) if address]
    begun = [letter for letter in alone if letter.notices[0].may_have_left]
    fresh = [letter for letter in alone if not letter.notices[0].may_have_left]
    letters = [*await _with_enclosed(session, begun), *_together(fresh, together_from)]
    for letter in letters:
        letter.claim(now=now)
    if notices := [notice for letter in letters for notice in letter.notices]:
        claimed = {
            "notice_ids": [each.notice_id for each in notices],
            "enclosed_in": [each.enclosed_in for each in notices],
        }
        await session.execute(KEEP_CLAIMED, claimed | {"until": notices[0].not_before})
    return letters


async def _with_enclosed(session: AsyncSession, letters: Sequence[Letter]) -> list[Letter]:
    enclosed = await queries.enclosed_in(session, [letter.letter_id for letter in letters]) if letters else {}
    return [Letter([*letter.notices, *enclosed.get(letter.letter_id, ())], letter.address) for letter in letters]


def _together(letters: Iterable[Letter], together_from: int) -> Iterator[Letter]:
    of_person: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        of_person[letter.notices[0].user_id].append(letter)
    for alone in of_person.values():
        if len(alone) < together_from:
            yield from alone
            continue
        for start in range(0, len(alone), TOGETHER_MAX):
            yield Letter([each.notices[0] for each in alone[start : start + TOGETHER_MAX]], alone[start].address)


async def keep(session: AsyncSession, letters: Iterable[Letter], *, now: datetime) -> None:
    """Write down what became of claimed letters, as their notices say; whose turn did not come is free again."""
    sent = []
    for notice in (notice for letter in letters for notice in letter.notices):
        if notice.status == NoticeStatus.SENT:
            sent.append(notice.notice_id)
            continue
        if notice.status == NoticeStatus.SENDING:
            notice.put_back(now=now)
        session.add(notice)
    if sent:
        await session.execute(KEEP_SENT, {"notice_ids": sent, "now": now})
