"""Correct no-trade windows, each with one thing hidden in it or taken from it: does the judge ever say PASS?

    python scripts/fuzz_notrade.py              100,000 windows, seeds 0 to 99,999 (about four minutes)
    python scripts/fuzz_notrade.py 5000 100000  5,000 windows from seed 100,000 on

A window and its defect are drawn from the seed, so that a seed which is told can be asked again. Every hundredth window
is judged without its defect as well, and must pass. Exit codes: 0 nothing passed and nothing fell, 1 something did.
"""

import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[1]
WINDOWS = 100_000
TOLD = 10


def main(windows: int = WINDOWS, first: int = 0) -> int:
    """Judge `windows` windows from seed `first` on."""
    import botproof

    botproof.__path__.append(str(ROOT))
    from notrade_defects import ALL, draw

    answers: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    began_s = time.process_time()
    for seed in range(first, first + windows):
        if seed % 100 == 0 and (clean := draw(Random(seed)).answer()) != "PASS":
            wrong.append(f"seed {seed}: the correct window is {clean}")
        chance = Random(seed)
        pieces = draw(chance)
        defect = chance.choice(ALL)
        try:
            defect(chance, pieces)
            answer = str(pieces.answer())
        except Exception as error:  # noqa: BLE001  whatever falls is what this looks for
            answer = f"{type(error).__name__}: {error}"
        answers[defect.__name__, answer] += 1
        if answer not in ("FAIL", "INVALID"):
            wrong.append(f"seed {seed}: {defect.__name__} is {answer}")
    for (name, answer), count in sorted(answers.items()):
        print(f"{count:>7} {answer:<8} {name}")
    for line in wrong[:TOLD]:
        print(line)
    print(f"{windows} windows, {len(wrong)} wrong, {time.process_time() - began_s:.0f} s of CPU")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main(*map(int, sys.argv[1:])))
