"""`botproof judge`: verdicts on evidence that lies in files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from botproof.notrade.answer import RuleVerdict
    from botproof.trial import Verdict

_EXAMPLE = """Example:

\b
  botproof judge no-trade --minute-csv minute.csv --fills-csv fills.csv \\
      --profile epp_v2_4_bot1u20_bitget_live_notrade \\
      --start 2026-02-22T01:01:00Z --end 2026-02-22T02:01:00Z \\
      --run-record reports/runs/RUN --venue-record venue.json"""


@click.group(
    name="judge",
    short_help="A verdict on evidence in files: judge no-trade.",
    epilog="Example:\n\n\b\n  botproof judge no-trade --help",
)
def judge() -> None:
    """A verdict on evidence that lies in files.

    \b
    Exit codes: 0 PASS
                1 FAIL
                2 INVALID: it cannot be judged
    """  # noqa: D301  click reads the backspace: a paragraph that it must not wrap


@judge.command(name="no-trade", short_help="Was anything traded in a no-trade window?", epilog=_EXAMPLE)
@click.option("--minute-csv", metavar="FILE", default="", help="The bot's minute rows.")
@click.option("--profile", metavar="PROFILE", default="", help="The no-trade profile: a file, or a shipped one's name.")
@click.option("--start", metavar="T", default="", help="Start of the window, UTC: 2026-02-22T01:37:00Z.")
@click.option("--end", metavar="T", default="", help="End of the window, UTC.")
@click.option("--run-record", metavar="DIR", default="", help="The sealed folder of the run, or its run.json.")
@click.option("--fills-csv", metavar="FILE", default="", help="The bot's fills. Default: those in the run record.")
@click.option("--venue-record", metavar="FILE", default="", help="The venue's record, or the sealed folder of the run.")
@click.option("--run-id", metavar="ID", default="", help="The run that all evidence must be of.")
@click.option("--position", metavar="BTC", default="", help="Declared position. Default: as in the run record, else 0.")
@click.option("--terms", metavar="TERMS", default="day15", help="Terms by path or name. Default: day15.")
@click.option("--reports", metavar="DIR", default="reports", help="Where the report goes. Default: reports.")
def no_trade(reports: str, **asked: str) -> int:
    """Was anything traded in a no-trade window? Rules R1 to R14 of docs/judging-no-trade.md.

    Every verdict is written to REPORTS/notrade_validation, and latest.json is replaced by it.

    \b
    Exit codes: 0 PASS: the whole window was seen, and nothing was traded
                1 FAIL: trading was seen
                2 INVALID: it cannot be judged, and closes nothing
    """  # noqa: D301  as above
    from botproof.trial import Asked, judge_window

    verdict = judge_window(Asked(reports=Path(reports), **asked))  # type: ignore[arg-type]  # options of the same names
    tell(verdict)
    return verdict.answer.exit_code


@judge.command(
    name="venue-record",
    short_help="Write the venue's record of a sealed run to a file.",
    epilog="Example:\n\n\b\n  botproof judge venue-record reports/runs/RUN --output venue.json",
)
@click.argument("run", metavar="RUN")
@click.option("--output", metavar="FILE", required=True, help="Where the record goes; --venue-record reads it back.")
@click.option("--known", metavar="DIR", multiple=True, help="An earlier sealed run of the closure: its known orders.")
def venue_record(run: str, output: str, known: tuple[str, ...]) -> int:
    """Write the venue's record of a sealed run to a file.

    The record is what the harness's own observer read: orders, fills, bills, lists, positions, settings, requests.

    \b
    Exit codes: 0 written
                2 there is no sealed run, or its record is not whole
    """  # noqa: D301  as above
    from dataclasses import replace

    from botproof.errors import Refusal
    from botproof.evidence.sealed import read_sealed_run
    from botproof.evidence.venuefile import write_venue_record

    record = read_sealed_run(Path(run)).venue_record()
    if record.flaws:
        raise Refusal(f"{run}: expected a sealed run, whole; found: {record.flaws[0]}")
    placed = [order for folder in known for order in read_sealed_run(Path(folder)).placed()]
    write_venue_record(Path(output), replace(record, known_orders=tuple(placed)))
    click.echo(f"{output}: the venue's record of {run}")
    return 0


def tell(verdict: "Verdict") -> None:
    """The verdict in lines: the answer, each rule, then what it rests on."""
    judgement = verdict.judgement
    click.echo(f"no-trade: {judgement.answer}")
    for rule in judgement.rules:
        click.echo(f"  {_told(rule)}")
    for finding in judgement.reasons():
        click.echo(f"{finding.rule} {finding.answer}: {finding.text()}")
    for note in judgement.notes():
        click.echo(f"{note.rule} note: {note.seen}")
    click.echo(f"report: {verdict.report}")


def _told(rule: "RuleVerdict") -> str:
    return f"{rule.rule:<4}{rule.answer:<8}{rule.seen}".rstrip()
