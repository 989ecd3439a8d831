"""The conformance of the fake without pytest: the digest of the scripted exchange, or seeds under both cadences.

python -m botproof.conformance                   a line a carrier: its digest; exit 1 where they part
python -m botproof.conformance --seeds 0:100     every seed under both cadences; exit 1 where verdicts differ
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from botproof.conformance.cadences import Pair, pair
from botproof.conformance.carriers import WAYS
from botproof.conformance.exchange import carry
from botproof.conformance.transcript import first_difference

_TOLD_EVERY = 10  # seeds, about half a minute


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m botproof.conformance", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=_seeds, metavar="A:B", help="seeds from A up to but not B, under both cadences")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes at work (default 2)")
    given = parser.parse_args()
    lines = exchange_lines() if given.seeds is None else cadence_lines(given.seeds, given.workers)
    parted = False
    for line, is_bad in lines:
        parted |= is_bad
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return int(parted)


def exchange_lines() -> Iterator[tuple[str, bool]]:
    """The digest by each way, and where it parts from the first; each line with whether it is bad."""
    first = None
    for name, way in WAYS.items():
        carried = carry(way)
        first = first or carried
        yield f"{carried.digest} {name}", False
        if difference := first_difference(first.entries, carried.entries):
            yield f"  {difference}", True


def cadence_lines(seeds: range, workers: int) -> Iterator[tuple[str, bool]]:
    """What differs, seed by seed, and what was exercised altogether."""
    pairs: list[Pair] = []
    with ProcessPoolExecutor(workers) as pool:
        for each in pool.map(pair, seeds):
            pairs.append(each)
            if each.difference:
                yield each.difference, True
            if len(pairs) % _TOLD_EVERY == 0 and len(pairs) < len(seeds):
                yield f"{len(pairs)} of {len(seeds)} seeds", False
    filled = sum(each.lazy.entries_filled for each in pairs), sum(each.channel.entries_filled for each in pairs)
    no_trade = sum(each.lazy.role == "no_trade" for each in pairs)
    held = sum(len(each.lazy.held) for each in pairs)
    differ = sum(bool(each.difference) for each in pairs)
    told = (
        f"{len(pairs)} seeds, {no_trade} of them no-trade, under both cadences: {differ} differ; "
        f"{held} promises HELD, {filled[0]} entries filled under lazy and {filled[1]} under channel"
    )
    yield told, False


def _seeds(text: str) -> range:
    first, _, end = text.partition(":")
    if not (first.isascii() and first.isdigit() and end.isascii() and end.isdigit() and int(first) < int(end)):
        raise argparse.ArgumentTypeError(f"expected two whole numbers, the first smaller, such as 0:100, found {text}")
    return range(int(first), int(end))


if __name__ == "__main__":
    sys.exit(main())
