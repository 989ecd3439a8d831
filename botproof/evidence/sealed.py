"""A sealed run, read for the no-trade judge: what the harness knows of it, and the venue's record on its tape.

The folder must be as its manifest says, byte for byte; then its tape is believed without walking its chain. Lines are
read as JSON and no facts are made of them: a window of a day is fifty thousand lines, and a judge is asked often.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from botproof.document import shown_path
from botproof.errors import Refusal
from botproof.evidence.venuefile import read_json
from botproof.notrade.evidence import RunEvidence
from botproof.notrade.record import (
    KnownOrder,
    ListReading,
    PastBill,
    PastFill,
    PastOrder,
    PositionReading,
    Price,
    Request,
    SettingsReading,
    Source,
    VenueRecord,
)
from botproof.notrade.window import DAY_US

MANIFEST, TAPE, RUN = "manifest.json", "tape.jsonl", "run.json"
ASKERS = ("tap", "fake_journal")
Fact = Mapping[str, Any]
_UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, Refusal)


@dataclass(frozen=True, slots=True)
class SealedRun:
    """A run's folder, read once. `facts` are the lines of its tape by kind."""

    folder: Path
    files: Mapping[str, str]
    facts: Mapping[str, list[Fact]]
    flaws: tuple[str, ...]

    def evidence(self) -> RunEvidence:
        """What the harness itself says of the run."""
        return _evidence(self)

    def venue_record(self) -> VenueRecord:
        """The venue's record of the run's window, as the observer wrote it down."""
        return _venue_record(self)

    def placed(self) -> tuple[KnownOrder, ...]:
        """The orders that the venue accepted from the bot, by the bot's own requests."""
        run_id = str(self._first("RunStarted").get("run_id", ""))
        sent = {(fact["src"], fact["request"]): fact for fact in self._all("RequestSent") if fact["action"] == "place"}
        return tuple(
            KnownOrder(order_id=fact["order_id"], client_id=fact["client_id"], run_id=run_id)
            for fact in self._all("RequestAnswered")
            if fact["code"] == "00000" and (fact["src"], fact["request"]) in sent and fact["order_id"]
        )

    def _all(self, kind: str, src: str = "") -> list[Fact]:
        found = self.facts.get(kind, [])
        return [fact for fact in found if fact["src"] == src] if src else found

    def _first(self, kind: str) -> Fact:
        found = self.facts.get(kind)
        return found[0] if found else {}

    def _last(self, kind: str) -> Fact:
        found = self.facts.get(kind)
        return found[-1] if found else {}


def read_sealed_run(path: Path) -> SealedRun:
    """The run in a folder, or in the folder of a `run.json`. Raises `Refusal` where there is none."""
    folder = path.parent if path.name == RUN else path
    what = "the folder of a sealed run"
    manifest, _ = read_json(folder / MANIFEST, f"the {MANIFEST} of a sealed run")
    try:
        listed = {str(entry["name"]): str(entry["sha256"]) for entry in manifest["files"]}
    except (KeyError, TypeError) as error:
        raise Refusal(f"{shown_path(folder)}: expected {what}, found a {MANIFEST} without its files") from error
    flaws = [f"{name} is not in its manifest" for name in (RUN, TAPE) if name not in listed]
    content = b""
    for name, sha256 in listed.items():
        try:
            data = (folder / Path(name).name).read_bytes()
        except OSError as error:
            flaws.append(f"{name} cannot be read ({error.strerror})")
            continue
        content = data if name == TAPE else content
        if hashlib.sha256(data).hexdigest() != sha256:
            flaws.append(f"{name} is not the file that was sealed (its sha256 differs)")
    facts: dict[str, list[Fact]] = {}
    try:
        for fact in _lines(content):
            facts.setdefault(fact["kind"], []).append(fact)
    except (ValueError, KeyError, TypeError) as error:
        flaws.append(f"{TAPE} is no tape: {error}")
    return SealedRun(folder, listed, facts, tuple(flaws))


def _lines(content: bytes) -> Iterator[Fact]:
    for line in content.split(b"\n"):
        if line:
            yield orjson.loads(line)


def _evidence(run: SealedRun) -> RunEvidence:
    """Never raises: what cannot be read is a flaw."""
    try:
        return _read_evidence(run)
    except _UNREADABLE as error:
        return RunEvidence(files=run.files, flaws=(*run.flaws, f"{TAPE} lacks what a tape says: {error!r}"))


def _read_evidence(run: SealedRun) -> RunEvidence:
    started, ended = run._first("RunStarted"), run._last("RunEnded")  # noqa: SLF001  one module
    if not started:
        return RunEvidence(files=run.files, flaws=(*run.flaws, "the tape does not say which run it is of"))
    opened, closed = run._first("WindowOpened"), run._last("WindowClosed")  # noqa: SLF001
    flaws = list(run.flaws)
    stated, _ = read_json(run.folder / RUN, RUN)
    differing = [name for name in ("run_id", "profile_sha256") if stated.get(name) != started[name]]
    flaws += [f"{RUN} and the tape name different {name}" for name in differing]
    steps = {step["step"]: step for step in run.facts.get("StopStep", [])}
    stopped = steps.get("stopped") or steps.get("killed")
    complete = bool(ended and ended["complete"] and closed and closed["reason"] == "ended")
    bot_started_us = _bot_started_us(run, started, opened)
    return RunEvidence(
        run_id=started["run_id"],
        profile_id=started["profile_id"],
        profile_sha256=started["profile_sha256"],
        terms_sha256=started["terms_sha256"],
        bot=started["bot"],
        bot_version=started["bot_version"],
        venue=started["venue"],
        symbol=started["symbol"],
        client_id_prefix=started["client_id_prefix"],
        started_us=started["t_local_us"],
        bot_started_us=bot_started_us,
        stopped_us=stopped["t_local_us"] if stopped else None,
        window_us=(opened["start_us"], opened["end_us"]) if opened else None,
        declared_position=Decimal(started["declared_position"]),
        restarts_us=tuple(fact["t_local_us"] for fact in run.facts.get("BotRestarted", [])),
        complete=complete,
        death=_death(steps),
        files=run.files,
        requests=_requests(run),
        flaws=tuple(flaws),
    )


def _bot_started_us(run: SealedRun, started: Fact, opened: Fact) -> int:
    """When the bot began at the latest: its first word or call, or the opening of the window."""
    first: list[int] = [
        fact["t_local_us"] for kind in ("RequestSent", "BotStateChanged") for fact in run.facts.get(kind, [])[:1]
    ]
    return min([*first, int(opened.get("t_local_us", started["t_local_us"]))])


def _death(steps: Mapping[str, Fact]) -> str:
    if "crashed" in steps:
        return str(steps["crashed"].get("detail") or "it crashed")
    stopped = steps.get("stopped")
    if stopped is not None and stopped["outcome"] != "in time":
        return str(stopped["outcome"])
    return "" if stopped is not None or "killed" in steps else "nothing says how it ended"


def _requests(run: SealedRun) -> Source[Request] | None:
    """Every signed request, with the venue's code; None where no record of them is covered to the end."""
    covered = {fact["source"]: fact for fact in run.facts.get("Covered", []) if fact["source"] in ASKERS}
    counted = {src: sum(fact["src"] == src for facts in run.facts.values() for fact in facts) for src in ASKERS}
    if not covered or any(covered.get(src, {}).get("count") != counted[src] for src in covered):
        return None
    answers = {(fact["src"], fact["request"]): fact["code"] for fact in run.facts.get("RequestAnswered", [])}
    rows = tuple(
        Request(
            at_us=fact["t_local_us"],
            method=fact["method"],
            path=fact["path"],
            action="read" if fact["action"] == "other" and fact["method"] == "GET" else fact["action"],
            client_id=fact["client_id"] or fact["order_id"],
            code=answers.get((fact["src"], fact["request"]), ""),
        )
        for fact in run.facts.get("RequestSent", [])
        if fact["src"] in ASKERS
    )
    from_us = max(fact["from_us"] for fact in covered.values())
    to_us = min(fact["to_us"] for fact in covered.values())
    return Source(from_us=from_us, to_us=to_us, read_us=to_us, via="the harness, as they were sent", rows=rows)


def _venue_record(run: SealedRun) -> VenueRecord:
    """Never raises: what cannot be read is a flaw."""
    blank = VenueRecord(venue="", account="", key="", symbol="", start_us=0, end_us=0, flaws=run.flaws)
    try:
        return replace(_read_venue_record(run), flaws=run.flaws)
    except _UNREADABLE as error:
        return replace(blank, flaws=(*run.flaws, f"{TAPE} lacks what a tape says: {error!r}"))


def _read_venue_record(run: SealedRun) -> VenueRecord:
    started, opened = run._first("RunStarted"), run._first("WindowOpened")  # noqa: SLF001
    seen = {kind: [fact for fact in facts if fact["src"] == "venue"] for kind, facts in run.facts.items()}
    covered = [fact for fact in run.facts.get("Covered", []) if fact["source"] == "venue"]
    closing = [fact for fact in seen.get("OpenOrdersRead", []) if fact["purpose"] == "closing"]
    record = VenueRecord(
        venue=started["venue"],
        account="",
        key="",
        symbol=started["symbol"],
        start_us=opened["start_us"],
        end_us=opened["end_us"],
    )
    if not covered or covered[-1]["count"] != sum(map(len, seen.values())) or not closing:
        return replace(record, missing={"every source": "the run did not read the venue's books to their last page"})
    began_us, read_us = started["t_local_us"], closing[0]["t_local_us"]
    told_to_us = covered[-1]["to_us"]

    def source(rows: tuple[Any, ...], via: str, *, back_us: int = 0, to_us: int = read_us) -> Source[Any]:
        return Source(from_us=began_us - back_us, to_us=to_us, read_us=to_us, via=via, rows=rows)

    lists = seen.get("OpenOrdersRead", [])
    return replace(
        record,
        orders=source(_orders(seen), "pushes, pending lists, orders-history", back_us=DAY_US),
        fills=source(tuple(map(_fill, seen.get("FillSeen", []))), "pushes, fills"),
        bills=source(tuple(map(_bill, seen.get("BillSeen", []))), "account/bill"),
        open_orders=source(
            tuple(ListReading(at_us=fact["t_local_us"], ids=tuple(fact["plain"])) for fact in lists),
            "orders-pending",
            to_us=told_to_us,
        ),
        trigger_orders=source(
            tuple(ListReading(at_us=fact["t_local_us"], ids=tuple(fact["trigger"])) for fact in lists),
            "orders-plan-pending",
            to_us=told_to_us,
        ),
        positions=source(
            tuple(
                PositionReading(at_us=_at(fact), symbol=fact["symbol"], size=Decimal(fact["size"]))
                for fact in seen.get("PositionSeen", [])
            ),
            "pushes, all-position",
            to_us=told_to_us,
        ),
        settings=source(
            tuple(
                SettingsReading(
                    at_us=fact["t_local_us"],
                    position_mode=fact["position_mode"],
                    margin_mode=fact["margin_mode"],
                    leverage=str(fact["leverage"]),
                )
                for fact in seen.get("SettingsRead", [])
            ),
            "account/account",
            to_us=told_to_us,
        ),
        requests=_requests(run),
        prices=source(
            tuple(Price(at_us=_at(fact), bid=fact["bid"], ask=fact["ask"]) for fact in seen.get("TopOfBook", [])),
            "ticker",
            to_us=told_to_us,
        ),
        missing={"trigger_history": "the observer reads the open trigger orders, not the ended ones"},
    )


def _at(fact: Fact) -> int:
    """By the venue's clock where it said so, and never later than the harness learned of it."""
    local_us: int = fact["t_local_us"]
    return local_us if fact["t_venue_us"] is None else min(fact["t_venue_us"], local_us)


def _orders(seen: Mapping[str, list[Fact]]) -> tuple[PastOrder, ...]:
    """Each order once: from its first report to its last."""
    first: dict[str, Fact] = {}
    last: dict[str, Fact] = {}
    for fact in seen.get("OrderSeen", []):
        first.setdefault(fact["order_id"], fact)
        last[fact["order_id"]] = fact
    return tuple(
        PastOrder(
            order_id=order_id,
            client_id=fact["client_id"],
            symbol=fact["symbol"],
            side=fact["side"],
            size=Decimal(fact["size"]),
            filled=Decimal(fact["filled"]),
            state=fact["state"],
            created_us=_at(first[order_id]),
            updated_us=_at(fact),
        )
        for order_id, fact in last.items()
    )


def _fill(fact: Fact) -> PastFill:
    return PastFill(
        trade_id=fact["trade_id"],
        order_id=fact["order_id"],
        symbol=fact["symbol"],
        side=fact["side"],
        price=Decimal(fact["price"]),
        size=Decimal(fact["size"]),
        at_us=_at(fact),
    )


def _bill(fact: Fact) -> PastBill:
    return PastBill(
        bill_id=fact["bill_id"],
        symbol=fact["symbol"],
        business_type=fact["business_type"],
        amount=Decimal(fact["amount"]),
        fee=Decimal(fact["fee"]),
        at_us=_at(fact),
    )
