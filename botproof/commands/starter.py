"""The files of a user's own folder, as `botproof new` lays them out: a bot, its profile, and two features that run.

One feature passes. The other fails on purpose, and truly: the bot protects nothing that it buys, and its first screen
says so. Whoever mends the bot has understood how the harness is used.
"""

from collections.abc import Mapping

from botproof.profile import Profile, find_profile

SHIPPED = "epp_v2_4_bot1u20_bitget_live_microcap"
PROFILE = "epp_v2_4_bot1u30_bitget_live_microcap"

PYTEST_INI = f"""\
[pytest]
botproof_features = features
pythonpath = .
addopts = --venue=fake --bot=python:my_bot:MyBot --profile=profiles/{PROFILE}.yml
"""

MY_BOT = '''\
"""My bot: it rests one bid below the market, and does nothing about what it buys."""

import asyncio

from botproof.events import OrderType, Side
from botproof.money import floor_to
from botproof.ports import BotContext, OrderRequest


class MyBot:
    name, version = "mine", "1"

    def __init__(self, context: BotContext) -> None:
        self.context, self.stop_asked = context, asyncio.Event()

    async def run(self) -> None:
        venue, profile, symbol = self.context.venue, self.context.profile, self.context.symbol
        await venue.set_leverage(symbol, profile.leverage)
        await venue.account(symbol)  # what was set is read back before the first order
        contract, book = await venue.contract(symbol), await venue.depth(symbol)
        price = floor_to(contract.tick, book.bids[0][0] * (1 - profile.buy_spreads[0]))
        size, name = floor_to(contract.qty_step, 15 / price), f"{self.context.client_id_prefix}1"
        bid = {"side": Side.BUY, "order_type": OrderType.LIMIT, "price": price, "size": size}
        await venue.place(OrderRequest(symbol=symbol, client_id=name, **bid))
        await self.stop_asked.wait()
        for order in await venue.open_orders():
            await venue.cancel(symbol, order_id=order.order_id)

    def stop(self) -> None:
        self.stop_asked.set()
'''

TEST_FEATURES = """\
from pytest_bdd import scenarios

scenarios(".")
"""

GREEN = """\
@fake
Feature: My bot asks for no more than it may

  Scenario: nothing fills
    Given the micro-cap profile
    And a flat account of 30 USDT
    And a calm market at 67500 USDT
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | orders placed    | at least 1 |
      | cancels sent     | at least 1 |
      | settings changed | 1          |
    And these promises are held:
      | promise | about                         |
      | E2      | no order above the envelope   |
      | E4      | every order fits the contract |
      | E14     | nothing left behind           |
"""

RED = """\
@fake
Feature: My bot closes what it opens

  Scenario: the price falls through the bid
    Given the micro-cap profile
    And a flat account of 30 USDT
    And the bot is running on BTCUSDT
    When the price falls 1 % within 60 s
    And the bounded window ends
    Then these promises are held:
      | promise | about                                      |
      | E10     | every position closed by reduce-only exits |
      | E11     | stops and time limits                      |
"""


def starter() -> Mapping[str, str]:
    """Text by path inside the folder."""
    return {
        "pytest.ini": PYTEST_INI,
        "my_bot.py": MY_BOT,
        f"profiles/{PROFILE}.yml": _profile(),
        "features/test_features.py": TEST_FEATURES,
        "features/green.feature": GREEN,
        "features/red.feature": RED,
    }


def _profile() -> str:
    """The shipped micro-cap profile with an envelope of 30 USDT, under a name of its own."""
    shipped = Profile.load(find_profile(SHIPPED))
    text = shipped.source.decode().replace(shipped.id, PROFILE)
    for before, after in (("envelope of 20 USDT", "envelope of 30 USDT"), ("_quote: 20\n", "_quote: 30\n")):
        assert before in text, f"{shipped.path} does not say {before}"
        text = text.replace(before, after)
    return text
