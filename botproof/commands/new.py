"""`botproof new`: a folder of one's own, with a bot, a profile and two features, that runs at once."""

from collections.abc import Mapping
from pathlib import Path

import click

from botproof.document import shown_path
from botproof.errors import Refusal


@click.command(
    name="new",
    short_help="Lay out a folder of your own that runs at once.",
    epilog="Example:\n\n\b\n  botproof new my_acceptance\n  cd my_acceptance && pytest",
)
@click.argument("directory", metavar="DIR")
def new(directory: str) -> int:
    """Lay out a folder of your own: a bot in Python, a profile, two features of which one fails on purpose.

    \b
    Exit codes: 0 laid out
                2 DIR is not empty, or cannot be written
    """  # noqa: D301  click reads the backspace: a paragraph that it must not wrap
    from botproof.commands.starter import starter

    folder, files = Path(directory), starter()
    _check(folder)
    _write(folder, files)
    click.echo(f"laid out in {shown_path(folder)}: {', '.join(files)}")
    click.echo("green.feature passes. red.feature fails on purpose: my_bot.py does nothing about what it buys.")
    click.echo(f"run them: {'' if folder.resolve() == Path.cwd() else f'cd {shown_path(folder)} && '}pytest")
    return 0


def _check(folder: Path) -> None:
    """Raises `Refusal` where something stands in the way."""
    what = f"{shown_path(folder)}: expected a folder that is empty or not there"
    try:
        if folder.is_dir():
            if left := sorted(path.name for path in folder.iterdir()):
                raise Refusal(f"{what}, found {len(left)} thing(s) in it, such as {shown_path(Path(left[0]))}")
        elif folder.exists() or folder.is_symlink():
            raise Refusal(f"{what}, found a file")
    except (OSError, ValueError) as error:
        raise Refusal(f"{what}, found: {_reason(error)}") from None


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """All files, or none of them."""
    made: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            missing = [parent for parent in path.parents if not parent.exists()]
            for parent in reversed(missing):
                parent.mkdir()
                made.append(parent)
            made.append(path)
            path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        for path in reversed(made):
            _take_back(path)
        what = f"{shown_path(folder)}: expected a folder that can be written"
        raise Refusal(f"{what}, found: {_reason(error)}; nothing was left there.") from error


def _take_back(path: Path) -> None:
    try:
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return  # where even that is refused, what is left says itself that it is not whole


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else "a path that cannot exist"
