"""What is inferred about the venue, each as a named switch.

Nothing here is documented or captured; a switch says which way the fake goes and why, and the other way can be had
by setting it. What is documented or captured has no switch.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The inferred behaviours of the exchange (inferred, all of them)."""

    # A position may be worth less than the minimum order value after a fall; a venue that refused to close it would
    # lock its customers in. False: such an order is refused with 45110.
    reduce_only_min_value_exempt: bool = True

    # Reduce-only orders with nothing left to close could never fill; the venue is known to cancel reduce-only orders
    # that exceed the position when a new one arrives, so it is taken to do the same when the position goes away.
    # False: they stay, and fill nothing.
    cancel_reduce_only_without_position: bool = True

    # The documentation lists 40730 and 45097 against a change of leverage with open orders, clients call it blindly
    # before each order and are not known to fail. False: refused with 45097.
    leverage_with_open_orders: bool = True

    # Clients set the margin mode blindly when they start; with a position the refusal of a change is attested (45117),
    # and it is taken to cover the same mode too. False: the same mode is always accepted.
    same_margin_mode_refused_with_position: bool = True

    # No answer to a market order that finds an empty side is attested. What cannot trade at once is elsewhere accepted
    # and canceled, so it is here. False: such an order is refused with 22067, which is listed and names the case.
    market_order_on_empty_book_accepted: bool = True

    # No code is attested for a limit price beyond the band around the mark; these two are the listed candidates that
    # name the price and not the risk.
    price_too_high_code: str = "40815"
    price_too_low_code: str = "40816"
