"""The administrator of a running platform, in whose name the commands ask its services."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from chassis.environment import Told
from orderloom import state
from orderloom.defaults import ADMINISTRATOR
from orderloom.folder import DataFolder, secret_once
from orderloom.gateway import Gateway
from orderloom.stack import Stack

PATIENCE_SECONDS = 5.0
"""People wait for the answer: a service that is away is said to be away."""


class NotRunning(Exception):
    """The command needs a running stack, or a part of this checkout that is not there."""


class NoSuchOrder(Exception):
    """Neither an id nor a number of an order."""


class OperatorSettings(Told):
    """What the tools of a deployment are told, where no data folder knows it."""

    admin_password: SecretStr = SecretStr("")
    """Of `admin`, in whose name the commands with `--gateway` ask."""


class Administrator:
    """Asks one service or another through the gateway. Every method raises `Refused`, and `httpx` errors."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON of the answer."""
        return await self._gateway.get(ADMINISTRATOR, _address(service, path), params=_given(params))

    async def post(self, service: str, path: str, body: Any) -> Any:
        """The JSON of the answer."""
        return (await self._gateway.post(ADMINISTRATOR, _address(service, path), body)).json()

    async def all_pages(self, service: str, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a list that comes in pages."""
        return await self._gateway.all_pages(ADMINISTRATOR, _address(service, path), **_given(params))

    async def order_id(self, order: str) -> str:
        """Of an order that is named by its id or its number. Raises `NoSuchOrder`."""
        try:
            return str(UUID(order))
        except ValueError:
            found = await self.get("order", "/orders", order_no=order)
        if not found["items"]:
            raise NoSuchOrder(f"There is no order with the id or the number {order}.")
        order_id: str = found["items"][0]["order_id"]
        return order_id


@asynccontextmanager
async def administrator(arguments: argparse.Namespace) -> AsyncIterator[Administrator]:
    """Of the platform that the arguments name. Raises `NotRunning`."""
    url, password = where(arguments)
    async with Gateway(url, {ADMINISTRATOR: password}, patience_seconds=PATIENCE_SECONDS) as gateway:
        yield Administrator(gateway)


def where(arguments: argparse.Namespace) -> tuple[str, str]:
    """The gateway that `--gateway` names, else that of the stack in the data folder; and its administrator's password.

    Raises `NotRunning`.
    """
    if arguments.gateway:
        password = OperatorSettings().admin_password.get_secret_value()
        if not password:
            raise NotRunning("--gateway needs the administrator's password: set ORDERLOOM_ADMIN_PASSWORD.")
        return arguments.gateway, password
    stack = running(arguments.folder)
    return stack.url("gateway"), secret_once(stack.folder.admin_password)


def running(folder: DataFolder) -> Stack:
    """The stack in `folder`. Raises `NotRunning`."""
    if not state.load(folder.state).is_supervised:
        raise NotRunning(f"No stack runs in {folder.path}: start it with `orderloom up`.")
    return Stack.of(folder)


def _address(service: str, path: str) -> str:
    """The gateway's own endpoints are at its root, the others' behind it."""
    return path if service == "gateway" else f"/api/{service}{path}"


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
