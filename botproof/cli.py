"""The command line. Exit codes are part of the contract; bad input costs one or two lines on stderr, never a traceback.

What a command needs is imported inside it, so that `--help` and a refusal are there at once.
"""

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from botproof import __version__
from botproof.commands.fake import fake
from botproof.commands.inspect import inspect
from botproof.commands.judge import judge
from botproof.commands.new import new
from botproof.errors import BotproofError, ProfileError, Refusal

if TYPE_CHECKING:
    from botproof.feasibility import Rules
    from botproof.profile import Profile

# Names that commands to come have taken; they answer, but nobody is told that they work.
RESERVED = (
    "closure", "doctor", "look", "report", "seal", "stop", "verify",
)  # fmt: skip
_CANNOT = 2
_SEEDS_TEXT_MAX = 40
_SEEDS_A_LINE = 50
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_OPENING_PRICE_USDT = Decimal(67_500)  # where the fake's market opens

Item = TypeVar("Item")


class Front(click.Group):
    """The group of all commands; it words every refusal, click's own included, in a line."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or (_unbuilt(cmd_name) if cmd_name in RESERVED else None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from botproof.document import nearest, shown

            hint = nearest(name, known) or f" (known: {', '.join(known)})"
            raise click.UsageError(f"expected a command, found {shown(name)}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run and exit, as a console script does."""
        extra |= {"standalone_mode": False, "prog_name": "botproof"}
        try:
            code = super().main(args, **extra)
        except click.UsageError as error:
            _refuse(_one_line(error.format_message()) + _remedy(error))
        except click.ClickException as error:
            _refuse(_one_line(error.format_message()))
        except click.Abort:
            _refuse("interrupted")
        except ProfileError as error:
            _refuse(_as_lines(error))
        except BotproofError as error:
            _refuse(str(error))
        except OSError as error:
            _refuse(f"expected to write the answer, found: {error.strerror}; give it a stdout that takes it")
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=Front,
    invoke_without_command=True,
    epilog="Example:\n\n\b\n  botproof feasible --profile epp_v2_4_bot1_bitget_live_microcap --suggest",
)
@click.version_option(__version__, prog_name="botproof")
@click.pass_context
def main(ctx: click.Context) -> None:
    """May this trading bot be let near real money on Bitget perpetuals, and can you prove it?

    The acceptance suite itself is run by pytest: pytest features/ --venue=fake
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command(
    short_help="May a profile keep its own promise at a price?",
    epilog="Example:\n\n\b\n  botproof feasible --profile epp_v2_4_bot1_bitget_live_microcap --price 67500 --suggest",
)
@click.option(
    "--profile",
    "profile_name",
    metavar="PROFILE",
    required=True,
    help="A controller file, or a shipped profile's name.",
)
@click.option(
    "--price", "price_text", metavar="USDT", help="The mid to judge at. Default: the fake's opening price, 67500."
)
@click.option("--suggest", "with_suggestion", is_flag=True, help="Also print the smallest envelope that is feasible.")
def feasible(profile_name: str, price_text: str | None, *, with_suggestion: bool) -> int:
    """May a profile keep its own promise at a price? The arithmetic of every simultaneous order.

    \b
    Exit codes: 0 FEASIBLE
                1 INFEASIBLE, with the reasons
                2 it cannot be judged
    """  # noqa: D301  click reads the backspace: a paragraph that it must not wrap
    from botproof.feasibility import Answer, judge_feasibility
    from botproof.profile import Profile, find_profile

    price = _OPENING_PRICE_USDT if price_text is None else _price(price_text)
    profile, rules = Profile.load(find_profile(profile_name)), _rules_of_the_fake()
    result = judge_feasibility(profile, rules, price)
    for line in result.lines():
        click.echo(line)
    click.echo("rules: the contract of the fake venue" + (", price: its opening price" if price_text is None else ""))
    if with_suggestion:
        click.echo(f"smallest honest envelope: {_suggestion(profile, rules, price)}")
    return 0 if result.verdict is Answer.FEASIBLE else 1


@main.command(
    name="search",
    short_help="The correct bot over many seeds: is anything ever broken?",
    epilog="Example:\n\n\b\n  botproof search --seeds 0:4\n  botproof search --seeds 0:200 --window 9h --begin 15:30",
)
@click.option("--seeds", metavar="A:B", required=True, help="Seeds from A up to but not B.")
@click.option("--bot", default="reference", metavar="BOT", help="reference (default) or python:module:factory.")
@click.option("--window", default="15m", metavar="W", help="Length of every window, such as 15m (default) or 9h.")
@click.option("--begin", default="01:00", metavar="HH:MM", help="UTC time of day when a run begins. Default: 01:00.")
@click.option("--reports", default="reports", metavar="DIR", help="Where the ledger is kept. Default: reports.")
@click.option("--workers", default=2, type=click.IntRange(1, 64), help="Processes at work. Default: 2.")
def search_seeds(seeds: str, bot: str, window: str, begin: str, reports: str, workers: int) -> int:
    """The bot over many seeds on the fake, micro-cap and no-trade: one window of simulated time a seed.

    What the ledger holds already is not run again. A seed that breaks a promise, leaves something unexplained, fails to
    show what its trades should have shown, or loses a unit of money is written as a scenario to DIR/search.

    \b
    Exit codes: 0 nothing was broken and nothing went unnoticed
                1 something was, with the command that shows it again
                2 it cannot be searched
    """  # noqa: D301  as above
    from pathlib import Path

    from botproof.search import FOUND, search, summary
    from botproof.seeded import Asked
    from botproof.settings import read_settings

    first, end = _seed_range(seeds)
    begin_min = _minute_of_day(begin)
    settings = read_settings({"bot": bot, "window": window, "reports": reports}, Path.cwd())
    assert settings.window_s is not None
    asked = Asked(bot=bot, window_s=settings.window_s, begin_min=begin_min)
    tried = list(_counted(search(first, end, asked=asked, reports=settings.reports, workers=workers), end - first))
    for line in summary(tried):
        click.echo(line)
    unclean = [one.seed for one in tried if not one.is_clean]
    if unclean:
        same = shlex.join(["--bot", bot, "--window", window, "--begin", begin])
        click.echo(f"again: botproof search {same} --seeds {unclean[0]}:{unclean[0] + 1}")
        click.echo(f"as scenarios: {settings.reports / FOUND}")
    return 1 if unclean else 0


main.add_command(fake)
main.add_command(inspect)
main.add_command(judge)
main.add_command(new)


def _counted(seeds: Iterable[Item], total: int) -> Iterator[Item]:
    """The same, with a bar on a terminal and a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if console.is_terminal:
        yield from track(seeds, "seeds", total, console=console, transient=True)
        return
    for count, one in enumerate(seeds, 1):
        if count % _SEEDS_A_LINE == 0:
            click.echo(f"{count} of {total} seeds", err=True)
        yield one


def _minute_of_day(text: str) -> int:
    from botproof.document import shown

    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        raise Refusal(f"--begin: expected a UTC time of day such as 15:30, found {shown(text)}")
    return int(match[1]) * 60 + int(match[2])


def _seed_range(text: str) -> tuple[int, int]:
    first, _, end = text.partition(":")
    digits = (first + end).isascii() and first.isdigit() and end.isdigit() and len(text) <= _SEEDS_TEXT_MAX
    if not digits or int(first) >= int(end):
        raise Refusal("--seeds: expected two whole numbers A:B with A below B, such as 0:500")
    return int(first), int(end)


def _suggestion(profile: "Profile", rules: "Rules", price: Decimal) -> str:
    """The answer to --suggest; that there is none is an answer too, and leaves the verdict as it is."""
    from botproof.feasibility import suggest
    from botproof.profile import DESK_CAP_USDT

    try:
        envelope = suggest(profile, rules, price)
    except Refusal as none:
        return f"none; {none}"
    note = f", above the desk cap of {DESK_CAP_USDT} USDT: not allowed live" if envelope > DESK_CAP_USDT else ""
    return f"{envelope} USDT (margin and taker fee included, no reserve){note}"


def _price(text: str) -> Decimal:
    from botproof.document import shown
    from botproof.schema import decimal_of

    price = decimal_of(text)
    if price is None or price <= 0:
        raise Refusal(f"--price: expected USDT as a number above 0 such as 67500, found {shown(text)}")
    return price


def _rules_of_the_fake() -> "Rules":
    from botproof.fakes.bitget.core.contract import BTCUSDT

    return BTCUSDT


def _unbuilt(name: str) -> click.Command:
    """A command that swallows all its arguments and says that it is not there."""

    def answer() -> NoReturn:
        raise Refusal(f"{name}: not built yet; the name is reserved")

    return click.Command(
        name,
        callback=answer,
        add_help_option=False,
        hidden=True,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


def _as_lines(error: ProfileError) -> str:
    """One violation fits the line that names its file."""
    return f"{error.file}: {error.violations[0]}" if len(error.violations) == 1 else str(error)


def _one_line(message: str) -> str:
    """Click quotes what was typed as it was typed; a line break or a terminal's escape in it is shown, not obeyed."""
    return ascii(message)[1:-1].replace("\\'", "'").rstrip(".")


def _remedy(error: click.UsageError) -> str:
    return f"; see {error.ctx.command_path if error.ctx else 'botproof'} --help"


def _refuse(message: str) -> NoReturn:
    click.echo(f"botproof: {message}", err=True)
    sys.exit(_CANNOT)
