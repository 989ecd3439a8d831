"""What a run costs, measured against itself: `python -m benchmarks`, or `make bench`.

In a checkout that nobody installed, the folders beside the library answer to the names they are installed under.
"""

from pathlib import Path

import botproof

NO_TRADE, MICRO_CAP = "no_trade", "micro_cap"  # the roles of the terms
ROOT = Path(__file__).parents[1]
if str(ROOT) not in botproof.__path__:
    botproof.__path__.append(str(ROOT))
