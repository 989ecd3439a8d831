"""E8: position mode, margin mode and leverage are read back as declared before the first order, and stay so."""

from dataclasses import replace

import pytest
from streams import (
    BUY,
    MICRO_CAP,
    NO_TRADE,
    TERMS,
    Stream,
    broken,
    held,
    micro_cap_run,
    no_trade_run,
    verdict_of,
    without,
)

from botproof.events import (
    Action,
    Fact,
    ModeOrLeverageChanged,
    RequestAnswered,
    RequestSent,
    RunEnded,
    SettingsRead,
    Side,
    Source,
    WindowClosed,
)
from botproof.invariants.verdict import Outcome


def change(stream: Stream, setting: str, before: str, after: str) -> None:
    stream.write(
        ModeOrLeverageChanged(
            src=Source.VENUE, t_local_us=stream.now_us, symbol="BTCUSDT", setting=setting, before=before, after=after
        )
    )


def test_read_backs_as_declared_are_held() -> None:
    verdict = verdict_of("E8", micro_cap_run())
    assert (verdict.outcome, verdict.exercise) == (Outcome.HELD, 5)


def test_an_order_before_the_read_back_breaks_nothing_else() -> None:
    facts = micro_cap_run(reads_back=False)
    assert broken(facts) == {"E8"}
    assert "before the settings were read back" in verdict_of("E8", facts).reason


def test_a_read_back_that_differs_is_none() -> None:
    facts = micro_cap_run(begun=lambda stream: stream.read_back(leverage=2), reads_back=False)
    assert broken(facts) == {"E8"}


def test_settings_may_be_put_right_before_the_first_order() -> None:
    def put_right(stream: Stream) -> None:
        stream.settings(leverage=20)
        stream.read_back(leverage=20)
        stream.answer(stream.wait("0.1").request(Action.SET_LEVERAGE).request)
        stream.wait("0.1")

    assert "E8" in held(micro_cap_run(begun=put_right))


def test_a_change_that_a_poll_reveals_later_is_excused_where_it_led_to_the_declared() -> None:
    facts = micro_cap_run(flat=lambda stream: change(stream, "leverage", "20", "1"))
    assert "E8" in held(facts)


def test_a_read_back_must_follow_the_last_change() -> None:
    def change_after_reading(stream: Stream) -> None:
        stream.answer(stream.request(Action.SET_LEVERAGE).request)

    assert "E8" in broken(micro_cap_run(flat=change_after_reading))


def test_a_repeated_line_of_an_older_read_back_does_not_follow_a_change() -> None:
    facts = micro_cap_run(flat=lambda stream: stream.answer(stream.request(Action.SET_LEVERAGE).request))
    read = next(fact for fact in facts if isinstance(fact, SettingsRead) and fact.src is Source.TAP)
    at = next(i for i, fact in enumerate(facts) if getattr(fact, "action", None) is Action.SET_LEVERAGE)
    assert "E8" in broken(without([*facts[: at + 1], read, *facts[at + 1 :]], lambda _: False))


@pytest.mark.parametrize("changes", [{"leverage": 2}, {"margin_mode": "isolated"}])
def test_a_reading_that_differs_after_the_first_order_breaks_nothing_else(changes: dict[str, object]) -> None:
    facts = micro_cap_run(quoted=lambda stream: stream.settings(**changes))  # type: ignore[arg-type]
    assert broken(facts) == {"E8"}
    assert "declared is" in verdict_of("E8", facts).reason


def test_another_position_mode_is_broken() -> None:
    facts = [
        replace(fact, position_mode="hedge_mode") if isinstance(fact, SettingsRead) and fact.seq > 20 else fact
        for fact in micro_cap_run()
    ]
    assert "position_mode was hedge_mode" in verdict_of("E8", facts).reason


def test_the_bots_own_later_reading_counts_too() -> None:
    assert broken(micro_cap_run(quoted=lambda stream: stream.read_back(leverage=2))) == {"E8"}


def test_a_change_away_from_the_declared_is_broken() -> None:
    facts = micro_cap_run(quoted=lambda stream: change(stream, "leverage", "1", "2"))
    assert broken(facts) == {"E8"}


def test_a_request_to_change_after_the_first_order_is_not_shown() -> None:
    def ask(stream: Stream, code: str) -> None:
        sent = stream.request(Action.SET_LEVERAGE)
        stream.wait("0.02").answer(sent.request, code=code)

    asked = verdict_of("E8", micro_cap_run(quoted=lambda stream: ask(stream, "00000")))
    assert asked.outcome is Outcome.NOT_SHOWN
    assert "asked to change" in asked.reason
    assert "E8" in held(micro_cap_run(quoted=lambda stream: ask(stream, "40797")))


def test_a_request_of_an_unread_kind_is_not_shown_unless_refused() -> None:
    def ask(stream: Stream, code: str) -> None:
        sent = stream.request(Action.OTHER, path="/api/v2/mix/account/set-all-leverage")
        stream.wait("0.02").answer(sent.request, code=code)

    asked = verdict_of("E8", micro_cap_run(quoted=lambda stream: ask(stream, "00000")))
    assert (asked.outcome, "set-all-leverage" in asked.reason) == (Outcome.NOT_SHOWN, True)
    assert "E8" in held(micro_cap_run(quoted=lambda stream: ask(stream, "40404")))


def test_a_change_without_an_answer_is_not_shown_however_it_was_read_back() -> None:
    verdict = verdict_of("E8", micro_cap_run(begun=lambda stream: stream.request(Action.SET_LEVERAGE)))
    assert (verdict.outcome, "is unknown" in verdict.reason) == (Outcome.NOT_SHOWN, True)
    lost = micro_cap_run(begun=lambda stream: stream.lose(stream.request(Action.SET_LEVERAGE).request))
    assert verdict_of("E8", lost).outcome is Outcome.NOT_SHOWN


def test_a_change_that_is_answered_after_the_read_back_was_sent_needs_another() -> None:
    def crossing(stream: Stream) -> None:
        change = stream.request(Action.SET_LEVERAGE)
        read = stream.request(Action.READ)
        stream.wait("0.02").answer(change.request)
        stream.answer(read.request)
        stream.settings(Source.TAP)

    verdict = verdict_of("E8", micro_cap_run(begun=crossing, reads_back=False))
    assert (verdict.outcome, "before a change of them was answered" in verdict.reason) == (Outcome.NOT_SHOWN, True)
    assert "E8" in held(micro_cap_run(begun=crossing))


@pytest.mark.parametrize("src", [Source.TAP, Source.VENUE])
def test_without_the_read_backs_of_either_it_is_not_held(src: Source) -> None:
    def gone(fact: Fact) -> bool:
        return isinstance(fact, SettingsRead) and fact.src is src

    assert "E8" not in held(without(micro_cap_run(), gone))


def test_without_a_reading_after_the_window_it_is_not_shown() -> None:
    facts = micro_cap_run()
    closed = next(fact.seq for fact in facts if isinstance(fact, WindowClosed))
    short = without(facts, lambda fact: isinstance(fact, SettingsRead) and fact.seq > closed)
    assert "not read after the window" in verdict_of("E8", short).reason


def test_a_no_trade_run_shows_it_by_its_read_backs() -> None:
    assert "E8" in held(no_trade_run(), NO_TRADE)


# the verdict's own words, and its edges


def reason_of(facts: list[Fact]) -> str:
    return verdict_of("E8", facts).reason


def seq_of(facts: list[Fact], action: Action, number: int = 0) -> int:
    """Where the request was sent, the first of its kind or a later one."""
    return [fact.seq for fact in facts if isinstance(fact, RequestSent) and fact.action is action][number]


def at_the_instant_of(facts: list[Fact], moved: Fact, t_us: int) -> list[Fact]:
    """The same facts with one of them at another instant."""
    return without([replace(f, t_local_us=t_us) if f is moved else f for f in facts], lambda _: False)


def test_the_readings_of_the_venue_prove_it() -> None:
    facts = micro_cap_run()
    shown = [f.seq for f in facts if isinstance(f, SettingsRead) and f.src is Source.VENUE]
    assert list(verdict_of("E8", facts).proof) == shown


def test_too_few_readings_are_told_with_their_name() -> None:
    more = replace(TERMS, exercise={"E8": 6})
    assert verdict_of("E8", micro_cap_run(), MICRO_CAP, more).reason == ("5 of 6 read-backs of the venue as declared")


def test_without_a_read_back_of_the_bot_it_says_so() -> None:
    assert reason_of(micro_cap_run(reads_back=False, trades=False)) == (
        "the bot never read its settings back as declared"
    )


def test_an_order_before_the_read_back_is_told_with_its_time() -> None:
    facts = micro_cap_run(reads_back=False)
    verdict = verdict_of("E8", facts)
    assert verdict.reason.startswith(
        "an order was sent at 01:01:01.000 UTC, before the settings were read back as declared"
    )
    assert verdict.proof[0] == seq_of(facts, Action.PLACE)


def test_a_setting_that_differs_is_told_with_its_time_and_what_was_declared() -> None:
    facts = micro_cap_run(quoted=lambda stream: stream.settings(leverage=2))
    verdict = verdict_of("E8", facts)
    assert verdict.reason == "leverage was 2 at 01:01:11.100 UTC, declared is 1"
    assert [facts[seq].kind for seq in verdict.proof] == ["SettingsRead"]


def test_a_change_of_a_setting_that_nobody_declared_is_broken() -> None:
    facts = micro_cap_run(quoted=lambda stream: change(stream, "auto_margin", "off", "on"))
    assert reason_of(facts) == "auto_margin was on at 01:01:11.100 UTC, declared is unknown"


def test_a_request_to_change_after_the_first_order_is_told_with_its_time() -> None:
    def ask(stream: Stream) -> None:
        stream.answer(stream.request(Action.SET_LEVERAGE).request)

    facts = micro_cap_run(quoted=ask)
    seq = seq_of(facts, Action.SET_LEVERAGE)
    assert reason_of(facts) == (
        f"a setting was asked to change at 01:01:11.100 UTC by POST /api/v2/mix/set_leverage (seq {seq}), "
        "after the first order"
    )


def test_a_request_of_an_unread_kind_is_told_as_one() -> None:
    facts = micro_cap_run(quoted=lambda s: s.answer(s.request(Action.OTHER, path="/api/v2/mix/other").request))
    assert reason_of(facts) == f"what POST /api/v2/mix/other (seq {seq_of(facts, Action.OTHER)}) did is not judged"


def test_a_change_whose_fate_is_unknown_is_told_and_so_is_one_answered_too_late() -> None:
    facts = micro_cap_run(begun=lambda stream: stream.request(Action.SET_LEVERAGE))
    seq = seq_of(facts, Action.SET_LEVERAGE)
    assert reason_of(facts) == f"the fate of POST /api/v2/mix/set_leverage (seq {seq}) is unknown"

    def crossing(stream: Stream) -> None:
        changing, read = stream.request(Action.SET_LEVERAGE), stream.request(Action.READ)
        stream.wait("0.02").answer(changing.request)
        stream.answer(read.request)
        stream.settings(Source.TAP)

    crossed = micro_cap_run(begun=crossing, reads_back=False)
    answered = next(f.seq for f in crossed if isinstance(f, RequestAnswered))
    assert reason_of(crossed) == (f"the settings were asked for before a change of them was answered (seq {answered})")


def test_a_change_still_on_its_way_after_a_good_read_back_is_told() -> None:
    facts = micro_cap_run(quoted=lambda stream: stream.request(Action.SET_LEVERAGE))
    seq = seq_of(facts, Action.SET_LEVERAGE)
    assert reason_of(facts) == f"the fate of POST /api/v2/mix/set_leverage (seq {seq}) is unknown"


def test_an_answer_without_its_request_is_told_with_its_place() -> None:
    facts = without(micro_cap_run(), lambda f: isinstance(f, RequestSent) and f.action is Action.READ)
    answer = next(fact.seq for fact in facts if isinstance(fact, RequestAnswered))
    assert reason_of(facts) == f"the request that was answered at seq {answer} is not on the tape"


def test_a_refused_order_says_nothing_about_settings() -> None:
    assert "E8" in held(micro_cap_run(flat=lambda s: s.answer(s.send(Side.BUY, BUY).request, code="40762")))


def test_a_reading_at_the_very_instant_of_a_change_does_not_follow_it() -> None:
    def at_once(stream: Stream) -> None:
        stream.answer(stream.request(Action.SET_LEVERAGE).request)
        stream.answer(stream.request(Action.READ).request)
        stream.settings(Source.TAP)

    assert "E8" in broken(micro_cap_run(begun=at_once, reads_back=False))
    assert "E8" in held(micro_cap_run(begun=at_once))


def test_a_reading_that_differs_at_the_very_instant_of_the_read_back_is_broken() -> None:
    def at_once(stream: Stream) -> None:
        stream.read_back()
        stream.settings(leverage=2)

    assert "E8" in broken(micro_cap_run(begun=at_once, reads_back=False))


def test_one_instant_is_one_exercise() -> None:
    assert verdict_of("E8", micro_cap_run(flat=lambda stream: stream.settings())).exercise == 5


@pytest.mark.parametrize(("early_us", "outcome"), [(0, Outcome.HELD), (1, Outcome.NOT_SHOWN)])
def test_the_last_reading_is_at_the_closing_of_the_window_or_after_it(early_us: int, outcome: Outcome) -> None:
    facts = micro_cap_run()
    closed = next(fact for fact in facts if isinstance(fact, WindowClosed))
    last = max((f for f in facts if isinstance(f, SettingsRead)), key=lambda fact: fact.seq)
    verdict = verdict_of("E8", at_the_instant_of(facts, last, closed.t_local_us - early_us))
    assert verdict.outcome is outcome
    if outcome is Outcome.NOT_SHOWN:
        assert verdict.reason == "the venue's settings were not read after the window had closed"


def test_the_window_closes_once() -> None:
    facts = micro_cap_run()
    closed = next(fact for fact in facts if isinstance(fact, WindowClosed))
    again = replace(closed, t_local_us=facts[-1].t_local_us + 1)
    end = next(i for i, fact in enumerate(facts) if isinstance(fact, RunEnded))
    assert "E8" in held(without([*facts[:end], again, *facts[end:]], lambda _: False))


def test_what_the_bot_was_shown_before_any_answer_is_a_read_back() -> None:
    facts = micro_cap_run(begun=lambda stream: stream.settings(Source.TAP), reads_back=False)
    assert "E8" in held(facts)
