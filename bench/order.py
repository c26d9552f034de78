"""What an order costs: placed and approved over HTTP, until everything that it causes can be read (S2, in short).

Starts a stack of its own with a fresh broker, loads it with 8 clients near saturation, and waits until nothing is left
behind. Prints CPU milliseconds per order by process, beside the budget, and writes `bench/results/order.json`.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from orderloom.defaults import DEMO_PASSWORD

CLIENTS = 8
BUDGET_MS = {"order": 8.5, "project": 2.5, "finance": 2.0, "notify": 2.5, "gateway": 2.0, "kafka": 2.5}
"""CPU-ms per order with the service's share of PostgreSQL; the order service places, approves and keeps the thread."""
GOAL_MS = 20.0
ORDERLOOM = (sys.executable, "-m", "orderloom.cli")
RESULT = Path(__file__).parent / "results" / "order.json"
SELLER, APPROVER, READER = "sales", "sales_manager", "project_manager"
ORDER: dict[str, Any] = {
    "client": {"code": "C-BENCH", "name": "Bench Works"},
    "order_type": "machining",
    "title": "An order of the bench",
    "currency": "CNY",
    "lines": [
        {"item": f"ITEM-{number}", "quantity": "12", "unit": "pcs", "unit_price": "38.505", "tax_rate": "0.13"}
        for number in range(3)
    ],
    "fields": {"material": "6061-T6", "drawing_no": "D-1"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="how long orders are placed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = ["--data", f"{folder}/data"]
        os.chmod(folder, 0o711)
        try:
            subprocess.run([*ORDERLOOM, "up", *data], check=True, stdout=subprocess.DEVNULL)
            status = json.loads(subprocess.check_output([*ORDERLOOM, "status", "--json", *data]))
            result = asyncio.run(_measure(status, arguments.seconds))
        finally:
            subprocess.run([*ORDERLOOM, "down", "--wipe", *data], check=False, stdout=subprocess.DEVNULL)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    _print(result)


async def _measure(status: dict[str, Any], seconds: float) -> dict[str, Any]:
    addresses = status["addresses"]
    pids = {name: part["pids"] for name, part in status["parts"].items()}
    async with httpx.AsyncClient(timeout=60) as http:
        tokens = {role: await _sign_in(http, addresses["gateway"], role) for role in (SELLER, APPROVER, READER)}
        await _load(http, addresses["order"], tokens, 2.0)  # connections, caches, prepared statements
        before, started = _cpu_ms(pids), time.monotonic()
        placed = await _load(http, addresses["order"], tokens, seconds)
        loaded_seconds = time.monotonic() - started
        await _until_nothing_is_left(http, addresses, tokens[READER], placed[-20:])
        total_seconds = time.monotonic() - started
        after = _cpu_ms(pids)
    count = len(placed)
    by_part = {name: (after[name] - before[name]) / count for name in before}
    return {
        "orders": count,
        "seconds_loading": round(loaded_seconds, 1),
        "seconds_until_all_is_readable": round(total_seconds, 1),
        "orders_per_second": round(count / total_seconds, 1),
        "cpu_ms_per_order": round(sum(by_part.values()), 1),
        "goal_cpu_ms_per_order": GOAL_MS,
        "by_part": {name: round(cost, 2) for name, cost in by_part.items()},
        "budget_by_part": BUDGET_MS,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


async def _sign_in(http: httpx.AsyncClient, gateway: str, role: str) -> str:
    people = json.loads((Path(__file__).parents[1] / "deploy/local/src/orderloom/defaults/people.json").read_text())
    user = next(person["user_id"] for person in people if role in person["roles"])
    answer = await http.post(f"{gateway}/auth/sign-in", json={"user": user, "password": DEMO_PASSWORD})
    return str(answer.raise_for_status().json()["token"])


async def _load(http: httpx.AsyncClient, order: str, tokens: dict[str, str], seconds: float) -> list[str]:
    """Each client places and approves one order after another; the ids of those that both happened to."""
    until, placed = time.monotonic() + seconds, []
    seller, approver = ({"Authorization": f"Bearer {tokens[role]}"} for role in (SELLER, APPROVER))

    async def client() -> None:
        while time.monotonic() < until:
            answer = await http.post(f"{order}/orders", json=ORDER, headers=seller)
            order_id = answer.raise_for_status().json()["order_id"]
            approval = await http.post(f"{order}/orders/{order_id}/approval", json={}, headers=approver)
            approval.raise_for_status()
            placed.append(order_id)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return placed


async def _until_nothing_is_left(
    http: httpx.AsyncClient, addresses: dict[str, str], token: str, order_ids: list[str]
) -> None:
    """Project, account, notices, thread and view of the last orders can be read."""
    headers = {"Authorization": f"Bearer {token}"}
    for order_id in order_ids:
        for look in _looks(addresses, order_id):
            while True:
                answer = await http.get(look, headers=headers)
                if answer.status_code == 200 and answer.json() not in ({"email": 0, "in_app": 0},):
                    break
                await asyncio.sleep(0.02)


def _looks(addresses: dict[str, str], order_id: str) -> Iterator[str]:
    yield f"{addresses['project']}/orders/{order_id}/project"
    yield f"{addresses['finance']}/orders/{order_id}/account"
    yield f"{addresses['notify']}/orders/{order_id}/notices/counts"
    yield f"{addresses['order']}/orders/{order_id}/thread"
    yield f"{addresses['gateway']}/work/orders/{order_id}"


def _cpu_ms(pids: dict[str, list[int]]) -> dict[str, float]:
    """User and system time so far, of each part with its children; the supervisor's are the other parts."""
    return {name: sum(map(_of_tree, part)) for name, part in pids.items() if name != "supervisor"}


def _of_tree(pid: int) -> float:
    total = 0.0
    process = psutil.Process(pid)
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        own = times.user + times.system
        total += own + (times.children_user + times.children_system if each is process else 0)
    return total * 1000


def _print(result: dict[str, Any]) -> None:
    seconds, rate = result["seconds_until_all_is_readable"], result["orders_per_second"]
    print(f"{result['orders']} orders in {seconds} s: {rate} a second")
    for name, cost in result["by_part"].items():
        budget = result["budget_by_part"].get(name)
        print(
            f"  {name:12} {cost:7.2f} CPU-ms per order" + (f"   budget {budget} with its PostgreSQL" if budget else "")
        )
    print(f"  {'all':12} {result['cpu_ms_per_order']:7.2f} CPU-ms per order   goal {result['goal_cpu_ms_per_order']}")


if __name__ == "__main__":
    main()
