"""A company's archive: rows of many orders, made from those of a few real ones and copied into the tables.

Every row is one that a service wrote, with ids, number, title and client changed, so it fits the tables as they are.
Filled is what lists, searches, the page of an order, the approval inbox and ageing read. Left out, since none of these
reads them: outboxes, inboxes, threads, timelines, ledgers, notices, and the project service's own tables.
"""

import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg

from bench import orders
from bench.stack import ACCOUNTANT, Stack
from bench.wire import Client

TABLES = {
    "gateway": ("order_views", "task_views"),
    "order": ("orders", "order_lines", "decisions"),
    "finance": ("accounts", "instalments", "invoices", "receipts", "allocations"),
}
SHARES = ("submitted", "due", "billed", "closed", "closed", "closed", "closed", "closed", "closed", "closed")
"""Of every ten orders one waits for its approval, one may be invoiced, one waits for its money, seven are history."""
CHUNK = 1_000
CLIENTS = 15
"""So few that each fills a page also of the small archive."""
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
GOODS = ("bracket", "housing", "flange", "shaft", "cover", "支架", "壳体", "法兰")


def order_no(number: int) -> str:
    return f"SA-{number:07}"


def title(number: int) -> str:
    return f"{GOODS[number % len(GOODS)]} {number * 7919 % 1_000_003:06}"


def client_code(number: int) -> str:
    return f"C-A{number * 31 % CLIENTS:04}"


def standing(number: int) -> str:
    return SHARES[number * 7 % len(SHARES)]


def order_id(number: int) -> str:
    """Ascending with the number, as ids are, and older than that of any real order."""
    return _id(number, 0)


def _id(number: int, which: int) -> str:
    time = f"{0x0180_0000_0000 + number:012x}"
    return f"{time[:8]}-{time[8:]}-7{which:03x}-8000-{number:012x}"


@dataclass
class Archive:
    """Rows by standing, service and table, as PostgreSQL copies them, with marks where orders differ."""

    stack: Stack
    rows: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)
    filled: int = 0

    async def learn(self, client: Client, tokens: dict[str, str]) -> None:
        """From one real order of each standing, made through the APIs; the closed one is closed by hand."""
        addresses = self.stack.addresses
        submitted = await orders.place(client, addresses, tokens)
        others = {name: await orders.place_and_approve(client, addresses, tokens) for name in SHARES[1:4]}
        for each in others.values():
            await orders.until_all_is_readable(client, addresses, tokens, each)
        for name in ("billed", "closed"):
            invoice = await client.post(
                f"{addresses['finance']}/orders/{others[name]}/invoices", tokens[ACCOUNTANT], {}
            )
            if name == "closed":
                await _pay(client, self.stack, tokens, invoice.json())
        for name, real_id in {"submitted": submitted, **others}.items():
            self.rows[name] = {}
            which = {real_id: 0}
            for service, tables in TABLES.items():
                for table in tables:
                    text = await self._copy_out(service, table, real_id)
                    self.rows[name][service, table] = _marked(text, which, is_closed=name == "closed")

    async def fill(self, count: int) -> None:
        """Until there are `count` orders, the statistics are fresh, and what was written is on the disk."""
        for service, tables in TABLES.items():
            connection = await asyncpg.connect(self.stack.database_url(service))
            await connection.execute("SET session_replication_role = replica")  # rows of real orders need no checks
            for table in tables:
                await self._fill_table(connection, service, table, count)
            await connection.execute("CHECKPOINT")
            await connection.close()
        self.filled = count

    async def _fill_table(self, connection: asyncpg.Connection, service: str, table: str, count: int) -> None:
        """Its indexes are made again after: row by row, that of searches alone would take as long as all the rest."""
        indexes = await connection.fetch(
            "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition "
            "FROM pg_index WHERE indrelid = $1::text::regclass AND NOT indisunique",
            table,
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await connection.copy_to_table(table, source=self._chunks(service, table, count), format="text")
        for index in indexes:
            await connection.execute(index["definition"])
        await connection.execute(f"VACUUM (ANALYZE) {table}")

    async def _chunks(self, service: str, table: str, count: int) -> AsyncIterator[bytes]:
        for start in range(self.filled, count, CHUNK):
            numbers = range(start, min(start + CHUNK, count))
            yield "".join(_of(self.rows[standing(number)][service, table], number) for number in numbers).encode()

    async def _copy_out(self, service: str, table: str, real_id: str) -> str:
        """The order's rows of `table`. Those without its id are found by what has it."""
        by = {"instalments": "account_id IN (SELECT account_id FROM accounts WHERE order_id = $1)"}
        connection = await asyncpg.connect(self.stack.database_url(service))
        output = io.BytesIO()
        query = f"SELECT * FROM {table} WHERE {by.get(table, 'order_id = $1')}".replace("$1", f"'{real_id}'")
        await connection.copy_from_query(query, output=output, format="text")
        await connection.close()
        return output.getvalue().decode()


async def _pay(client: Client, stack: Stack, tokens: dict[str, str], invoice: dict[str, str]) -> None:
    paid = [{"invoice_id": invoice["invoice_id"], "amount": invoice["open_amount"]}]
    body = {"currency": invoice["currency"], "amount": invoice["open_amount"], "allocations": paid}
    answer = await client.post(
        f"{stack.addresses['finance']}/receipts", tokens[ACCOUNTANT], body | {"received_on": invoice["issued_on"]}
    )
    answer.json()


def _marked(text: str, which: dict[str, int], *, is_closed: bool) -> str:
    """With marks in place of what is the order's own. `which` numbers its ids, over all its tables."""
    for found in UUID_TEXT.findall(text):
        which.setdefault(found, len(which))
    for found, number in which.items():
        text = text.replace(found, f"@TIME@-7{number:03x}-8000-@ID@")
    text = re.sub(r"SO-\d+", "@NO@", text)
    text = re.sub(r"INV-\d+-\d+", "INV-@NO@", text)
    text = text.replace("An order of the bench", "@TITLE@").replace("C-BENCH", "@CLIENT@")
    text = text.replace("Bench Works", "Bench Works @CLIENT@")
    return text.replace("\tapproved\t", "\tclosed\t") if is_closed else text


def _of(marked: str, number: int) -> str:
    if not marked:
        return ""
    time = f"{0x0180_0000_0000 + number:012x}"
    text = marked.replace("@TIME@", f"{time[:8]}-{time[8:]}").replace("@ID@", f"{number:012x}")
    text = text.replace("@NO@", order_no(number)).replace("@TITLE@", title(number))
    return text.replace("@CLIENT@", client_code(number))
