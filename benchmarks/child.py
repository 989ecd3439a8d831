"""A load in a process of its own, so that its memory is its own and nothing is warm that a first run would find cold.

    python -m benchmarks.child '{"role": "no_trade", "window_s": 3600}' [--profile]

prints one JSON object: the cost, the peak memory, and with `--profile` where the time went, with `--memory` who holds
what at the end. `measured` asks for that.
"""

import json
import os
import subprocess
import sys
import tracemalloc
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks import ROOT
from benchmarks.memory import holders, peak_mib
from botproof.errors import BotproofError, HarnessError, Refusal

REFUSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a child told of one run; seconds, MiB, counts."""

    role: str
    window_s: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    start_mib: float  # with everything imported and nothing run
    phases_cpu_s: dict[str, float]
    phases_peak_mib: dict[str, float]
    counts: dict[str, int]
    verdicts: dict[str, int]
    layers: dict[str, float] = field(default_factory=dict)  # share of the profiled time by layer
    hottest: list[str] = field(default_factory=list)  # the dearest functions, a line each
    holders: list[str] = field(default_factory=list)  # who holds the most memory at the end, a line each

    @property
    def factor(self) -> float:
        """Simulated seconds a second of CPU."""
        return self.window_s / self.cpu_s


def measured(role: str, window_s: int, *switches: str, seed: int = 1) -> Measured:
    """One run in a child. Raises `Refusal` where the run is refused, `HarnessError` where the child fell."""
    asked = json.dumps({"role": role, "window_s": window_s, "seed": seed})
    command = [sys.executable, "-m", "benchmarks.child", asked, *switches]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise (Refusal if done.returncode == REFUSED else HarnessError)(last)
    return Measured(**json.loads(done.stdout))


def environment() -> dict[str, str]:
    """The environment of a child: without the plugins, the path, the hash seed and the bytecode switch of whoever called."""
    dropped = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def main(arguments: list[str]) -> int:
    """What the child does; `REFUSED` where the run is."""
    from benchmarks.layers import Profiler  # noqa: PLC0415  only what is measured may be in memory
    from benchmarks.load import Load, carry, demand  # noqa: PLC0415

    load, profiler = Load(**json.loads(arguments[0])), Profiler() if "--profile" in arguments else None
    start_mib = peak_mib()
    if "--memory" in arguments:
        tracemalloc.start()
    try:
        cost = carry(load, around_window=profiler, at_end=holders if tracemalloc.is_tracing() else None)
        demand(cost, load)
    except BotproofError as refusal:
        sys.stderr.write(" ".join(str(refusal).split()) + "\n")
        return REFUSED
    told: dict[str, Any] = asdict(cost) | {"role": load.role, "window_s": load.window_s}
    del told["refusals"]
    told |= {"peak_mib": peak_mib(), "start_mib": start_mib}
    if profiler is not None:
        told |= {"layers": profiler.shares(), "hottest": profiler.hottest()}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
