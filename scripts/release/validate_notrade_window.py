#!/usr/bin/env python3
"""The rollout's no-trade validator, by its name and flags: a thin front on `botproof judge no-trade`.

Exit codes: 0 PASS, 1 FAIL (trading was seen), 2 INVALID (it cannot be judged, and closes nothing).

The old flags are taken and decide nothing that could hide a row: `--exchange-filter` takes no row away,
`--since-minutes` reads no clock, `--min-samples` lowers no floor. What the old tool never asked for is required:
without it a pass would mean nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INVALID = 2
REQUIRED = {
    "--expected-exchange": "any venue's rows would do",
    "--profile": "a bot that is merely paused writes the same rows",
    "--start": "a file of two years ago would do, and a hole of nine hours",
    "--end": "the window could end before the first trade",
    "--run-record": "nothing ties the rows to the bot that ran, nor shows that it was alive",
    "--fills-csv": "the bot's own fills are not looked at (or a run record that has them)",
    "--venue-record": "an order that was placed and cancelled between two rows is not seen",
}


EXAMPLE = """example:
  validate_notrade_window.py --minute-csv minute.csv --expected-exchange bitget_perpetual \\
    --profile epp_v2_4_bot1u20_bitget_live_notrade \\
    --start 2026-02-22T01:01:00Z --end 2026-02-22T02:01:00Z \\
    --run-record reports/runs/RUN --fills-csv fills.csv --venue-record venue.json"""


def main(arguments: Sequence[str]) -> int:
    """Judge, and say what is missing where something is."""
    options = _parser().parse_args(arguments)
    given = {flag: getattr(options, flag.removeprefix("--").replace("-", "_")).strip() for flag in REQUIRED}
    if options.run_record:
        given["--fills-csv"] = given["--fills-csv"] or "the run's own"
    missing = [flag for flag, text in given.items() if not text]
    if missing and not options.minute_csv:
        missing = ["--minute-csv", *missing]
    sys.path.insert(0, str(ROOT))
    try:
        from botproof.commands.judge import tell
        from botproof.errors import BotproofError
        from botproof.trial import Asked, judge_window
    except ImportError as error:
        print(f"validate_notrade_window: expected the packages of botproof, found: {error}", file=sys.stderr)
        return INVALID
    asked = Asked(
        minute_csv=options.minute_csv,
        profile=options.profile,
        start=options.start,
        end=options.end,
        run_record=options.run_record,
        fills_csv=options.fills_csv,
        venue_record=options.venue_record,
        run_id=options.run_id,
        position=options.position,
        reports=Path(options.reports),
        expected_exchange=options.expected_exchange.strip(),
        without=tuple(f"{flag} is missing: without it {REQUIRED.get(flag, 'there is no row')}" for flag in missing),
        front={
            "expected_exchange": options.expected_exchange,
            "exchange_filter": options.exchange_filter,
            "since_minutes": options.since_minutes,
        },
        overruled=_overruled(options),
    )
    try:
        verdict = judge_window(asked)
    except BotproofError as error:
        print(f"validate_notrade_window: {error}", file=sys.stderr)
        return INVALID
    tell(verdict)
    return verdict.answer.exit_code


def _overruled(options: argparse.Namespace) -> tuple[str, ...]:
    """What was asked for and is not done, in words."""
    said = []
    if options.exchange_filter:
        said.append("--exchange-filter takes no row away: every row of the window is judged")
    if options.since_minutes:
        said.append("--since-minutes is not read: the window is absolute")
    if options.min_samples is not None:
        said.append("--min-samples is not read: the window's length says how many rows there must be")
    return tuple(said)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="validate_notrade_window.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLE,
    )
    parser.add_argument("--minute-csv", default="", help="the bot's minute rows")
    parser.add_argument("--exchange-filter", default="", help="taken, and takes no row away")
    parser.add_argument("--since-minutes", default="", help="taken, and not read: the window is absolute")
    parser.add_argument("--min-samples", default=None, help="taken, and not read: the window's length decides")
    for flag, otherwise in REQUIRED.items():
        parser.add_argument(flag, default="", help=f"required: without it {otherwise}".replace("%", "%%"))
    parser.add_argument("--run-id", default="", help="the run that all evidence must be of")
    parser.add_argument("--position", default="", help="declared position, signed, BTC")
    parser.add_argument("--reports", default="reports", help="where the report goes (default: reports)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
