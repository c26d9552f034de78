"""PostgreSQL's own benchmark on the server of a stack: what its disk and its cores allow at this moment."""

import asyncio
import os
import re
from urllib.parse import urlsplit

from bench.stack import Stack
from orderloom.folder import DataFolder
from orderloom.postgres import Cluster, create_databases

DATABASE = "pgbench"
SCALE = 10
SECONDS = 10
CLIENTS = 8


async def prepare(stack: Stack) -> None:
    """Its tables, in a database of their own."""
    await create_databases(stack.addresses["postgres"], (DATABASE,))
    await _run(stack, "--initialize", "--quiet", f"--scale={SCALE}")


async def transactions_per_second(stack: Stack, *, seconds: int = SECONDS) -> float:
    """Of `pgbench -N -c 8`: three updates' worth of work, one commit each."""
    said = await _run(stack, "-N", f"--client={CLIENTS}", "--jobs=2", f"--time={seconds}", "--no-vacuum")
    found = re.search(r"tps = ([\d.]+)", said)
    assert found, said
    return float(found[1])


async def _run(stack: Stack, *options: str) -> str:
    address = urlsplit(stack.addresses["postgres"])
    process = await asyncio.create_subprocess_exec(
        *(_binary(stack), "--host", str(address.hostname), "--port", str(address.port), "--username", "postgres"),
        *(*options, DATABASE),
        env=os.environ | {"PGPASSWORD": str(address.password)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"pgbench failed: {complaints.decode()}")
    return output.decode()


def _binary(stack: Stack) -> str:
    """It lies beside the server that runs."""
    server = Cluster(DataFolder(stack.data).postgres, 0).command().arguments[0]
    return server.removesuffix("postgres") + "pgbench"
