"""E8: position mode, margin mode and leverage are read back as declared before the first order, and stay so."""

from dataclasses import replace

import pytest
from streams import NO_TRADE, Stream, broken, held, micro_cap_run, no_trade_run, verdict_of, without

from botproof.events import Action, Fact, ModeOrLeverageChanged, SettingsRead, Source, WindowClosed
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
