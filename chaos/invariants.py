"""What has to hold afterwards, counted from outside: over HTTP, and in SQL."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import groupby
from typing import Any, Protocol

import asyncpg

from chaos.erp import Erp
from chaos.load import Load
from contracts.topics import ORDERS, SERVICES
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway, Refused


class Evidence(Protocol):
    """What is asked of a stack past its APIs, wherever it runs."""

    @property
    def poison_keys(self) -> set[str]:
        """Keys under which something was sent that has to be parked."""

    async def query(self, database: str, statement: str, *values: Any) -> list[asyncpg.Record]:
        """The rows of `statement` in the database of a service."""


Check = Callable[[Evidence, Load, Erp | None, Gateway], AsyncIterator[str]]


async def check_all(trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway) -> dict[str, list[str]]:
    """By invariant, what breaks it."""
    return {name: [defect async for defect in check(trial, load, erp, gateway)] for name, check in INVARIANTS.items()}


async def _acknowledged_orders_exist(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    reader = Cast(gateway).reader
    for placed in load.placed:
        try:
            order = await gateway.get(reader, f"/api/order/orders/{placed.order_id}")
        except Refused as refusal:
            yield f"{placed.order_id}: {refusal}"
            continue
        if order["external_id"] != placed.body["external_id"] or order["title"] != placed.body["title"]:
            yield f"{placed.order_id} is another order"
        if (placed.outcome == "cancelled") != (order["status"] == "cancelled"):
            yield f"{placed.order_id} is {order['status']}, and was {placed.outcome}"
    twice = await trial.query(
        "order", "SELECT external_id FROM orders GROUP BY source, external_id HAVING count(*) > 1"
    )
    for row in twice:
        yield f"external id {row['external_id']} was placed twice"


async def _every_order_came_to_its_end(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    for placed in load.placed:
        if placed.outcome == "under way":
            yield f"{placed.order_id} did not: {placed.refusals[-1:]}"


async def _one_project_per_approved_order(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    approved = await trial.query("order", "SELECT order_id FROM thread WHERE type = 'order.approved.v1'")
    projects = await trial.query("project", "SELECT order_id FROM projects")
    accounts = await trial.query("finance", "SELECT order_id FROM accounts")
    for name, rows in (("projects", projects), ("accounts", accounts)):
        for order_id, count in (Counter(row["order_id"] for row in rows)).items():
            if count != 1:
                yield f"{count} {name} of {order_id}"
        if {row["order_id"] for row in rows} != {row["order_id"] for row in approved}:
            yield f"{len(rows)} {name} of {len(approved)} approved orders"


async def _instalments_sum_to_the_contract(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    sums = "SELECT account_id, sum(net_amount) AS net, sum(tax_amount) AS tax FROM instalments GROUP BY account_id"
    contracts = (
        f"SELECT order_id, net_amount, tax_amount, net, tax FROM accounts LEFT JOIN ({sums}) s USING (account_id)"
    )
    for row in await trial.query("finance", contracts):
        if (row["net_amount"], row["tax_amount"]) != (row["net"], row["tax"]):
            yield f"{row['order_id']}: {dict(row)}"


async def _the_ledger_balances(trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway) -> AsyncIterator[str]:
    for complaint in await gateway.get(Cast(gateway).holder("finance_manager"), "/api/finance/ledger/check"):
        yield str(complaint)
    entries = "SELECT entry_id, sum(debit) AS debit, sum(credit) AS credit FROM ledger_lines GROUP BY entry_id"
    for row in await trial.query("finance", f"SELECT * FROM ({entries}) e WHERE debit <> credit"):
        yield f"entry {row['entry_id']}: {row['debit']} is not {row['credit']}"
    paid = "SELECT instalment_id, paid_amount FROM instalments"
    allocated = "SELECT instalment_id, sum(amount) AS amount FROM allocations GROUP BY instalment_id"
    together = f"SELECT * FROM ({paid}) p LEFT JOIN ({allocated}) a USING (instalment_id)"
    for row in await trial.query("finance", f"{together} WHERE paid_amount <> COALESCE(amount, 0)"):
        yield f"instalment {row['instalment_id']}: {row['paid_amount']} paid, {row['amount']} received"


async def _invoice_numbers_have_no_gap(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    numbers = [row["number"] for row in await trial.query("finance", "SELECT number FROM invoices ORDER BY number")]
    for year, group in groupby(numbers, key=lambda number: number[:9]):
        of_year = list(group)
        if of_year != [f"{year}{number:05}" for number in range(1, len(of_year) + 1)]:
            yield f"{len(of_year)} invoices, the last {of_year[-1]}"


async def _nobody_is_told_twice(trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway) -> AsyncIterator[str]:
    by_cause = "SELECT cause_id, user_id, channel, count(*) FROM notices GROUP BY 1, 2, 3 HAVING count(*) > 1"
    for row in await trial.query("notify", by_cause):
        yield str(dict(row))
    for request_id in erp.answered_twice if erp else ():
        yield f"request {request_id} of the ERP was answered twice"


async def _everything_told_is_on_thread_and_timeline_once(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    told = set()
    for service in SERVICES:
        rows = await trial.query(service, "SELECT event_id, published_at FROM outbox WHERE topic = $1", ORDERS)
        told |= {row["event_id"] for row in rows}
        if waiting := sum(row["published_at"] is None for row in rows):
            yield f"{waiting} facts of {service} were never published"
    for service, table in (("order", "thread"), ("gateway", "timeline")):
        kept = [row["event_id"] for row in await trial.query(service, f"SELECT event_id FROM {table}")]
        if len(kept) != len(set(kept)):
            yield f"the {table} has facts twice"
        if missing := told - set(kept):
            yield f"the {table} lacks {len(missing)} of {len(told)} facts, {next(iter(missing))} among them"


async def _threads_are_whole_and_causes_come_first(
    trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway
) -> AsyncIterator[str]:
    reader = Cast(gateway).reader
    for placed in load.placed:
        path = f"/api/order/orders/{placed.order_id}/thread/verification"
        if not (await gateway.get(reader, path))["verified"]:
            yield f"the chain of {placed.order_id} is broken"
    late = await trial.query(
        "order",
        """
        SELECT effect.order_id, effect.type, cause.type AS cause FROM thread effect
        JOIN thread cause ON cause.order_id = effect.order_id AND cause.event_id::text = effect.causation_id
        WHERE cause.position > effect.position
        """,
    )
    for row in late:
        yield f"{row['order_id']}: {row['type']} stands before its cause {row['cause']}"


async def _only_poison_is_parked(trial: Evidence, load: Load, erp: Erp | None, gateway: Gateway) -> AsyncIterator[str]:
    for service in SERVICES:
        for row in await trial.query(service, "SELECT consumer, key, reason, waits FROM parked_keys"):
            if row["key"] not in trial.poison_keys:
                yield f"{row['consumer']} parked {row['key']}: {row['reason']}"


INVARIANTS: dict[str, Check] = {
    "every acknowledged order exists, once": _acknowledged_orders_exist,
    "every order came to its end": _every_order_came_to_its_end,
    "one project and one account per approved order": _one_project_per_approved_order,
    "instalments sum to the contract": _instalments_sum_to_the_contract,
    "the ledger balances": _the_ledger_balances,
    "invoice numbers have no gap": _invoice_numbers_have_no_gap,
    "nobody is told twice": _nobody_is_told_twice,
    "everything told is on thread and timeline, once": _everything_told_is_on_thread_and_timeline_once,
    "threads are whole, and causes come first": _threads_are_whole_and_causes_come_first,
    "only poison is parked": _only_poison_is_parked,
}
