"""Which one it was: what a fact of the timeline names, in the words that the order's page has for it."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.pages import names
from portal.pages.language import Formats


class Particulars:
    """Of the facts of one order, as far as its page shows what they are about."""

    def __init__(self, order: Any, fmt: Formats) -> None:
        self._fmt = fmt
        self._stages = {each.code: fmt.label(each.name, each.code) for each in order.stages}
        self._milestones = {each.code: fmt.label(each.name) for each in order.milestones}
        self._tasks = {str(each.task_id): fmt.label(each.name) for each in order.tasks if hasattr(each, "task_id")}
        self._instalments = {
            each.code: f"{fmt.percent(each.percent)} {fmt.text(names.DUE_RULE.get(each.rule, each.rule))}"
            for each in order.instalments
        }

    def of(self, type: str, data: Any) -> str:
        """Nothing where there is no more to say, or where what is named is not shown."""
        tell = TELLERS.get(type.removesuffix(".v1"))
        return tell(self, data) if tell and isinstance(data, Mapping) else ""

    def _stage(self, data: Mapping[str, Any]) -> str:
        return self._stages.get(data.get("to", ""), "")

    def _milestone(self, data: Mapping[str, Any]) -> str:
        return self._milestones.get(data.get("milestone_code", ""), "")

    def _task(self, data: Mapping[str, Any]) -> str:
        return self._tasks.get(data.get("task_id", ""), "")

    def _task_and_reason(self, data: Mapping[str, Any]) -> str:
        return self._fmt.listed([each for each in (self._task(data), self._reason(data)) if each])

    def _handed_over(self, data: Mapping[str, Any]) -> str:
        receiver = data.get("to") or {}
        return f"{self._task(data)} → {receiver.get('name', '')}"

    def _inspected(self, data: Mapping[str, Any]) -> str:
        result = names.INSPECTION.get(data.get("result", ""), "")
        return self._fmt.listed([self._task(data), self._fmt.text(result)]) if result else self._task(data)

    def _hours(self, data: Mapping[str, Any]) -> str:
        return self._fmt.listed([self._task(data), f"{self._fmt.number(data.get('hours', 0))} h"])

    def _decision(self, data: Mapping[str, Any]) -> str:
        role, decision = data.get("role", ""), data.get("decision", "")
        words = [names.ROLE.get(role, role), names.DECISION.get(decision, decision)]
        return self._fmt.listed([self._fmt.text(each) for each in words if each])

    def _deliverable(self, data: Mapping[str, Any]) -> str:
        return self._fmt.label(data.get("name"), data.get("code", ""))

    def _instalment(self, data: Mapping[str, Any]) -> str:
        return self._instalments.get(data.get("code", ""), "")

    def _invoice(self, data: Mapping[str, Any]) -> str:
        number, total = data.get("number", ""), data.get("total")
        return self._fmt.listed([number, self._fmt.money(total, data["currency"])]) if total else number

    def _amount(self, data: Mapping[str, Any]) -> str:
        return self._fmt.money(data["amount"], data["currency"]) if "amount" in data else ""

    def _reason(self, data: Mapping[str, Any]) -> str:
        return str(data.get("reason") or "")

    def _told(self, data: Mapping[str, Any]) -> str:
        people = {each["user_id"] for each in data.get("recipients", ())}
        cause = str(data.get("cause_type", ""))
        about = self._fmt.text(names.FACT.get(cause, cause))
        return self._fmt.listed([about, self._fmt.plural("%(num)s person", "%(num)s people", len(people))])


TELLERS: Mapping[str, Callable[[Particulars, Mapping[str, Any]], str]] = {
    "order.stage_advanced": Particulars._stage,
    "milestone.reached": Particulars._milestone,
    "task.started": Particulars._task,
    "task.finished": Particulars._task,
    "task.blocked": Particulars._task_and_reason,
    "task.unblocked": Particulars._task,
    "task.overdue": Particulars._task,
    "task.reassigned": Particulars._handed_over,
    "time.logged": Particulars._hours,
    "inspection.recorded": Particulars._inspected,
    "approval.decided": Particulars._decision,
    "deliverable.submitted": Particulars._deliverable,
    "instalment.due": Particulars._instalment,
    "instalment.dated": Particulars._instalment,
    "instalment.paid": Particulars._instalment,
    "invoice.issued": Particulars._invoice,
    "receipt.recorded": Particulars._amount,
    "order.rejected": Particulars._reason,
    "order.held": Particulars._reason,
    "order.cancelled": Particulars._reason,
    "notice.given": Particulars._told,
}
"""By the type of a fact, without its version."""
