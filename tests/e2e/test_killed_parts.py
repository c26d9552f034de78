"""A service, or the database, is killed with -9 in the middle of everything: nothing acknowledged is lost (rule 40)."""

import os
import random

import pytest

from killing import play_while_killing
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

pytestmark = pytest.mark.xdist_group("e2e")

SEED = int(os.environ.get("SEED", "7"))


async def test_rule_40_services_killed_one_after_another_lose_and_double_nothing(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast
) -> None:
    randomness = random.Random(SEED)
    names = randomness.sample(["order", "project", "finance", "notify", "gateway"], 3)
    await play_while_killing(whole_stack, gateway, cast, names, pauses=[randomness.uniform(0.2, 1.5) for _ in names])


async def test_rule_40_the_database_is_killed_and_nothing_is_lost(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast
) -> None:
    await play_while_killing(whole_stack, gateway, cast, ["postgres"], pauses=[1.0])
