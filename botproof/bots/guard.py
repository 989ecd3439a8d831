"""The money that the bot may still use: fees, edge, turnover and loss, from what desk and diary know.

The open position is valued at mark, as the venue values it, and by the bot's own entry price, so that a fill and what
the account's push says of it a moment later are never counted twice.
"""

from decimal import Decimal

from botproof.bots.desk import Desk
from botproof.bots.diary import Diary, Rates, costs
from botproof.bots.gates import DAILY_LOSS_MAX, SECOND_US, EdgeGate, breached, stopped_out, turnover_room
from botproof.money import ZERO
from botproof.ports import AccountPush, AccountState, FeeRates

API, CONTRACTS = "api:trade-rate", "connector:contracts"
EDGE_LOOK_US = SECOND_US  # how often the edge is computed anew


class Guard:
    """What stands between a planned quote and the venue."""

    def __init__(self, desk: Desk, diary: Diary) -> None:
        self._desk, self._diary, self._profile = desk, diary, desk.profile
        self.edge = EdgeGate(desk.profile)
        self.equity: Decimal | None = None  # as last read or pushed, USDT; None before
        self.wallet: Decimal | None = None
        self.available: Decimal | None = None
        self._own_rates: FeeRates | None = None
        self._looked_us = -EDGE_LOOK_US

    def see_money(self, told: AccountState | AccountPush, now_us: int) -> None:
        """The venue told the account's money."""
        self.equity, self.wallet = told.equity_usdt, told.equity_usdt - told.unrealized_usdt
        self.available = told.available_usdt
        self._diary.note_equity(now_us, told.equity_usdt)

    # fees

    def see_rates(self, rates: FeeRates) -> None:
        """The venue told the account's own rates."""
        self._own_rates = rates

    @property
    def are_fees_resolved(self) -> bool:
        """Whether the venue has told the account's own rates."""
        return self._own_rates is not None

    @property
    def rates(self) -> Rates:
        """The account's own rates, or the contract's while the venue has not told them."""
        if self._own_rates is not None:
            return Rates(maker=self._own_rates.maker, taker=self._own_rates.taker, source=API)
        contract = self._desk.contract
        assert contract is not None, "the contract is read before fees are asked for"
        return Rates(maker=contract.maker_fee_rate, taker=contract.taker_fee_rate, source=CONTRACTS)

    # edge

    def is_edge_open(self, now_us: int) -> bool:
        """Whether a quote pays, by costs that are at most a second old."""
        ticker = self._desk.ticker
        if ticker is not None and now_us - self._looked_us >= EDGE_LOOK_US:
            mid = (ticker.bid + ticker.ask) / 2
            drift = self._diary.drift(now_us, mid)
            fresh = costs(
                self._profile,
                maker_fee=self.rates.maker,
                drift=drift,
                turnover_x=self._diary.turnover_x(now_us, self.equity),
                funding=ticker.funding_rate or ZERO,
            )
            self._looked_us = now_us
            self.edge.see(fresh.net_edge, drift=drift, now_us=now_us)
        return self.edge.is_open

    # turnover and loss

    @property
    def unrealized(self) -> Decimal:
        """What the own position would earn at mark, USDT."""
        holding, ticker = self._desk.holding, self._desk.ticker
        if not holding.size or ticker is None:
            return ZERO
        return holding.size * ((ticker.mark or (ticker.bid + ticker.ask) / 2) - holding.entry_price)

    def roll(self, now_us: int) -> None:
        """Begin the new UTC day, where there is one."""
        self._desk.day.roll(now_us, self.unrealized)

    def open_day(self, now_us: int) -> None:
        """What the account had earned on this day before the start belongs to the day."""
        self.roll(now_us)
        if self.equity is not None:
            opened_usdt = self.equity - self._desk.day.result(self.unrealized)
            self._diary.open_day(now_us, opened_usdt, self.equity)

    def turnover_room(self) -> Decimal:
        """How much one more entry may be worth, USDT."""
        desk = self._desk
        base_usdt, pending_usdt = self._envelope(self.equity), desk.orders.pending_usdt
        return turnover_room(
            self._profile, base_usdt=base_usdt, traded_usdt=desk.day.traded_usdt, pending_usdt=pending_usdt
        )

    def loss_room(self) -> Decimal:
        """How much one more entry may lose, USDT, where everything that rests and is held is stopped out."""
        desk = self._desk
        held_usdt = abs(desk.holding.size) * desk.holding.entry_price
        at_stake_usdt = self.worst_loss(desk.orders.pending_usdt + held_usdt)
        return DAILY_LOSS_MAX * self._loss_base - desk.day.loss(self.unrealized) - at_stake_usdt

    def worst_loss(self, value_usdt: Decimal) -> Decimal:
        """What entries worth `value_usdt` lose at worst, USDT."""
        return stopped_out(self._profile, value_usdt, self.rates.taker)

    def breaches(self) -> tuple[str, ...]:
        """Hard limits that are exceeded now."""
        day, unrealized = self._desk.day, self.unrealized
        if self.equity is None:
            return ()
        return breached(
            loss_usdt=day.loss(unrealized),
            fall_usdt=day.fall(unrealized),
            loss_base_usdt=self._loss_base,
            traded_usdt=day.traded_usdt,
            turnover_base_usdt=self._envelope(self.equity),
        )

    @property
    def _loss_base(self) -> Decimal:
        return self._envelope(self._diary.open_equity)

    def _envelope(self, equity: Decimal | None) -> Decimal:
        return min(equity or ZERO, self._profile.total_amount_quote)
