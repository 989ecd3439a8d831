"""What a push changes: each goes to whoever keeps what it tells of."""

from botproof.bots.desk import Desk
from botproof.bots.diary import Diary
from botproof.bots.guard import Guard
from botproof.ports import (
    AccountPush,
    FillPush,
    OrderPush,
    PositionsPush,
    Push,
    StreamClosed,
    StreamOpened,
    TickerPush,
)


def hear(push: Push, desk: Desk, diary: Diary, guard: Guard, now_us: int) -> None:
    """Take in what a stream delivered. A fill comes before the row of its order, so the row explains nothing new."""
    match push:
        case TickerPush(ticker=ticker):
            desk.see_ticker(ticker, now_us)
        case OrderPush(order=order, fill=fill):
            if fill is not None:
                desk.see_fill(fill, now_us)
            if desk.see_order(order, now_us):
                diary.cancels_us.append(order.updated_ms * 1000)
        case FillPush(fill=fill):
            desk.see_fill(fill, now_us)
        case PositionsPush(positions=positions):
            desk.see_positions(positions, now_us)
        case AccountPush():
            guard.see_money(push, now_us)
        case StreamOpened(private=private):
            diary.stream_openings += 1
            desk.see_stream(private=private, is_up=True, now_us=now_us)
        case StreamClosed(private=private):
            desk.see_stream(private=private, is_up=False, now_us=now_us)
