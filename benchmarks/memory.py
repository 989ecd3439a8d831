"""How much memory this process has held, and who holds it."""

import resource
import sys
import tracemalloc
from pathlib import Path

HOLDERS = 30
_KIB_A_MIB = 1024
_STATUS = Path("/proc/self/status")


def peak_mib() -> float:
    """The most memory that this process has held. What its parent held does not count, where the system tells."""
    if _STATUS.exists():
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        if "VmHWM" in fields:
            return int(fields["VmHWM"].split()[0]) / _KIB_A_MIB
    units_a_mib = _KIB_A_MIB**2 if sys.platform == "darwin" else _KIB_A_MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units_a_mib


def holders() -> list[str]:
    """Who holds the most memory now, by the line that asked for it."""
    rows = tracemalloc.take_snapshot().statistics("lineno")[:HOLDERS]
    places = [(row, row.traceback[0]) for row in rows]
    return [
        f"{row.size / _KIB_A_MIB**2:7.1f} MiB {row.count:8} {'/'.join(Path(at.filename).parts[-2:])}:{at.lineno}"
        for row, at in places
    ]
