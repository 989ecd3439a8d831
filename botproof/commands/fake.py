"""`botproof fake`: the fake venue as a process, for a bot in any language."""

import json
from pathlib import Path

import click


@click.command(
    name="fake",
    short_help="The fake venue on a loopback port, for a bot in any language.",
    epilog="Example:\n\n\b\n  botproof fake\n  botproof fake --port 0 --seed 7 --balance 20",
)
@click.option("--port", default="8787", metavar="N", help="Port on 127.0.0.1; 0 takes a free one. Default: 8787.")
@click.option("--seed", default="1", metavar="N", help="What all chance comes from. Default: 1.")
@click.option(
    "--market", default="synthetic", metavar="M", help="synthetic (default), or replay:FILE[#k], from its beginning on."
)
@click.option("--balance", default="1000", metavar="USDT", help="What the account opens with. Default: 1000.")
def fake(port: str, seed: str, market: str, balance: str) -> int:
    """The fake venue on a loopback port and the machine's clock, for a bot in any language, until Ctrl-C.

    When it is ready it prints one line of JSON: where its faces are, and the key that may trade. The control face looks
    behind it and scripts it: docs/fake.md.

    \b
    Exit codes: 0 ended by Ctrl-C or SIGTERM
                2 it cannot be served
    """  # noqa: D301  click reads the backspace: a paragraph that it must not wrap
    from botproof.loopback import read_offer, serve

    offer = read_offer(port=port, seed=seed, market=market, balance=balance, folder=Path.cwd())
    if offer.note:
        click.echo(offer.note, err=True)
    serve(offer, lambda told: click.echo(json.dumps(told)))
    return 0
