"""The embedded broker dies and forgets everything: what was acknowledged is told again, once in effect (rule 40)."""

import pytest

from killing import play_while_killing
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

pytestmark = pytest.mark.xdist_group("e2e")


async def test_rule_40_the_broker_forgets_everything_and_nothing_is_lost(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast
) -> None:
    await play_while_killing(whole_stack, gateway, cast, ["kafka"], pauses=[1.0])
