"""Same seed, same bytes, on every Python: runs a part of the suite on several and compares what they leave.

    python scripts/conformance.py --uv .tools/uv/bin/uv                3.11, 3.12 and 3.13, where they are found
    python scripts/conformance.py --uv uv 3.12 /opt/python/bin/python  these; a version, or an interpreter

Each Python gets an environment of its own below .tools/, from the lock file as it is, and runs the part twice: once as
here, once under another hash seed, from another folder, in a locale without UTF-8, in another zone, and in two workers.
Compared are every file of every run's payload, and the digest of the scripted exchange through all three carriers.

Exit status: 0 where all are equal, 1 where any differs or fell, 2 where no Python was found. Standard library only: any
interpreter can start it.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
SOURCES = ("botproof", "fakes", "features", "profiles", "steps")
VERSIONS = ("3.11", "3.12", "3.13")
PAYLOAD = ("tape.jsonl", "minute.csv", "fills.csv", "orders.csv", "incidents.jsonl", "verdicts.json")
# Micro-cap windows with fills and exits, a no-trade window, and the exchange by every carrier.
PART = "takeprofit or clean_window_is_proven or carried"
ASK_VERSION = "import sys; print('.'.join(map(str, sys.version_info[:2])), sys.executable)"
LIMIT_S = 900


@dataclass(frozen=True)
class Circumstance:
    """What the bytes must not hang on."""

    hash_seed: str
    locale: str
    zone: str
    is_elsewhere: bool = False
    workers: int = 0

    def environment(self) -> dict[str, str]:
        """The variables of a process that runs in it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON", "LC_"))}
        kept.pop("VIRTUAL_ENV", None)
        return kept | {
            "PYTHONHASHSEED": self.hash_seed,
            "LC_ALL": self.locale,
            "LANG": self.locale,
            "TZ": self.zone,
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        }


CIRCUMSTANCES = (
    Circumstance("0", "C.UTF-8", "UTC0"),
    Circumstance("4242", "C", "CHAST-12:45", is_elsewhere=True, workers=2),
)


@dataclass(frozen=True)
class Result:
    """What one Python left in one circumstance: a digest for each file of the payload, and that of the exchange."""

    python: str
    circumstance: Circumstance
    files: Mapping[str, str]
    exchange: str
    complaint: str = ""

    @property
    def payload(self) -> str:
        """One digest over all files."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="*", help=f"versions or interpreters (default: {' '.join(VERSIONS)})")
    parser.add_argument("--uv", default="uv", help="the uv that sets up the environments")
    given = parser.parse_args(arguments)
    found = find_pythons(given.pythons or VERSIONS)
    for asked in (name for name, path in found.items() if path is None):
        say(f"Python {asked}: not found, left out")
    pythons = {name: path for name, path in found.items() if path is not None}
    if not pythons:
        say("expected at least one Python, found none")
        return 2
    sources = source_digest(ROOT)
    with tempfile.TemporaryDirectory(prefix="botproof-conformance-") as scratch:
        results = [each for path in pythons.values() for each in try_python(path, given.uv, Path(scratch))]
    for line in table(results):
        say(line)
    complaints = [each.complaint for each in results if each.complaint] or differences(results)
    if source_digest(ROOT) != sources:
        complaints.append("the sources were changed while this ran, so it compares nothing: run it again")
    for line in complaints:
        say(line)
    return 1 if complaints else 0


def say(line: str) -> None:
    """A line on the terminal, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# Interpreters


def find_pythons(asked: Iterable[str]) -> dict[str, Path | None]:
    """The interpreter of each version that starts, by what was asked for; None where there is none."""
    return {name: next(filter(None, map(interpreter, candidates(name))), None) for name in asked}


def candidates(asked: str) -> Iterator[tuple[str, str]]:
    """Where a Python may be found, with the version that it must have (empty: any)."""
    if not asked.replace(".", "").isdigit():
        yield asked, ""
        return
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield str(Path(folder, f"python{asked}")), asked
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for path in sorted(root.glob(f"versions/{asked}.*/bin/python")):
        yield str(path), asked


def interpreter(candidate: tuple[str, str]) -> Path | None:
    """The interpreter itself, where it starts and is of that version: a shim may name one that is not there."""
    path, version = candidate
    if shutil.which(path) is None:
        return None
    told = subprocess.run([path, "-c", ASK_VERSION], capture_output=True, text=True, check=False, timeout=60)
    found, _, executable = told.stdout.strip().partition(" ")
    return Path(executable) if told.returncode == 0 and version in ("", found) else None


# Runs


def try_python(python: Path, uv: str, scratch: Path) -> Iterator[Result]:
    """Set up the environment of one Python and run the part in every circumstance."""
    told = subprocess.run([python, "-c", ASK_VERSION], capture_output=True, text=True, check=True, timeout=60)
    version = told.stdout.partition(" ")[0]
    home = TOOLS / f"python-{version}"
    say(f"Python {version}: {python}")
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(home), "UV_PYTHON": str(python)}
    subprocess.run([uv, "sync", "--quiet", "--frozen"], cwd=ROOT, env=environment, check=True)
    for number, circumstance in enumerate(CIRCUMSTANCES):
        yield run_part(version, home / "bin" / "python", circumstance, scratch / f"{version}-{number}")


def run_part(version: str, python: Path, circumstance: Circumstance, scratch: Path) -> Result:
    """Run the part and the exchange in one circumstance; what fell is a complaint."""
    scratch.mkdir(parents=True)
    folder = elsewhere(scratch / "suite") if circumstance.is_elsewhere else ROOT
    options = ["-p", "no:randomly", "-p", "no:cacheprovider", "--reports", str(scratch / "reports"), "-k", PART]
    workers = ["-n", str(circumstance.workers)] if circumstance.workers else []
    suite = command([str(python), "-m", "pytest", "features/", *options, *workers], folder, circumstance)
    exchange = command([str(python), "-m", "botproof.conformance"], folder, circumstance)
    fell = next((done for done in (suite, exchange) if done.returncode), None)
    files = payloads(scratch / "reports" / "runs")
    said = "" if fell is None else "\n".join(fell.stdout.splitlines()[-20:])
    digests = [line.split(" ")[0] for line in exchange.stdout.splitlines()]
    return Result(
        version,
        circumstance,
        files,
        " ".join(dict.fromkeys(digests)),
        said or ("" if files else f"Python {version}: no run left a payload"),
    )


def command(arguments: Sequence[str], folder: Path, circumstance: Circumstance) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=folder,
        env=circumstance.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=LIMIT_S,
    )


def elsewhere(folder: Path) -> Path:
    """A folder of a user's own, with the same features and no checkout around them."""
    shutil.copytree(ROOT / "features", folder / "features", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pytest.ini", folder)
    return folder


def payloads(runs: Path) -> dict[str, str]:
    """The sha256 of every file of every run's payload, by run and name."""
    return {
        f"{run.name}/{name}": hashlib.sha256((run / name).read_bytes()).hexdigest()
        for run in (sorted(runs.iterdir()) if runs.is_dir() else [])
        for name in PAYLOAD
        if (run / name).exists()
    }


def source_digest(root: Path) -> str:
    """One digest of everything that a run reads from the checkout."""
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".feature", ".yml"):
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


# What they say


def differences(results: Sequence[Result]) -> list[str]:
    """A line for each result whose payload, and one for each whose exchange, is not as the first result has it."""
    first, *others = results
    found = []
    for other in others:
        names = sorted(first.files.keys() | other.files.keys())
        parted = [name for name in names if first.files.get(name) != other.files.get(name)]
        who = f"Python {other.python}, {told(other.circumstance)}"
        if parted:
            found.append(
                f"{who}: {len(parted)} files of {len(names)} are not as on Python {first.python}: {parted[0]} ..."
            )
        if first.exchange != other.exchange:
            found.append(f"{who}: the exchange is not as on Python {first.python}")
    return found


def told(circumstance: Circumstance) -> str:
    """A circumstance in words."""
    where = "another folder" if circumstance.is_elsewhere else "the checkout"
    workers = f"{circumstance.workers} workers" if circumstance.workers else "one process"
    return f"hash seed {circumstance.hash_seed}, {where}, {circumstance.locale}, {circumstance.zone}, {workers}"


def table(results: Sequence[Result]) -> list[str]:
    """A line a result: digests are cut, files are counted."""
    header = ("Python", "circumstance", "files", "payload", "exchange")
    body = [
        (each.python, told(each.circumstance), str(len(each.files)), each.payload[:12], each.exchange[:12])
        for each in results
    ]
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *body)
    ]


if __name__ == "__main__":
    sys.exit(main())
