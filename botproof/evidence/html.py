"""The report in one HTML file that opens from disk without a network: `python -m botproof.evidence.html`.

Allure 3 turns the results of a run into the page. It is a program for Node, found in `node_modules` of the current
folder or on the PATH. The page it writes would call a web analytics service whenever somebody opens it, which is no
business of a record of trading: the tag is cut out, and a page in which any of it remains is not published.

At the end stands what an operator reads first: where the report is, which bot was judged, and what closure still
misses. A closure that is older than the results belongs to another run and is not repeated.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from botproof.errors import HarnessError, Refusal
from botproof.evidence.attachments import CATEGORIES

# A page with an hour of tapes takes seconds; a generator that takes minutes hangs.
GENERATE_TIMEOUT_S = 300

_TAG = re.compile(
    r"\s*<script async src=\"https://www\.googletagmanager\.com/[^>]*></script>"
    r"\s*<script>\s*window\.dataLayer.*?</script>",
    re.DOTALL,
)


def publish(reports: Path) -> Path:
    """Turn `reports/allure-results` into `reports/allure-report/index.html`, and return that path.

    An older report is taken away first. Raises `Refusal` where there are no results or no Allure 3, and
    `HarnessError` where the generator fails or its page still holds the analytics tag.
    """
    target = reports / "allure-report" / "index.html"
    target.unlink(missing_ok=True)
    results = reports / "allure-results"
    if not _results(results):
        raise Refusal(f"expected Allure results in {results}, found none; run pytest features/ first")
    program = _allure()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        page = Path(folder) / "published.html"
        page.write_text(without_analytics(_generate(program, results, Path(folder))), encoding="utf-8")
        page.replace(target)
    return target


def without_analytics(page: str) -> str:
    """`page` without the analytics tag; raises `HarnessError` where something of it remains."""
    page = _TAG.sub("", page)
    if "googletagmanager" in page:
        raise HarnessError(
            "the report still calls googletagmanager.com and is not published: unknown release of Allure?"
        )
    return page


def closing_lines(reports: Path) -> Iterator[str]:
    """Which bot was judged, the closure status and what it misses, as `reports/closure/closure.json` states them."""
    path = reports / "closure" / "closure.json"
    try:
        stated_at = path.stat().st_mtime_ns
        closure = json.loads(path.read_text(encoding="utf-8"))
        bot, status = closure["bot_judged"], closure["status"]
        missing = [f"  {item['id']:<4} {item['reason']}" for item in closure["missing"]]
    except FileNotFoundError:
        yield f"closure: not stated, there is no {path}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"closure: not stated, {path} cannot be read: {error!r}"
    else:
        if stated_at < min(_results(reports / "allure-results"), default=stated_at + 1):
            yield f"closure: not stated by this run, {path} is older"
            return
        yield f"bot judged: {bot}"
        yield f"closure: {status}" + (f"; missing {len(missing)}:" if missing else "")
        yield from missing


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the report and print the closing lines; 0 where there is a report, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m botproof.evidence.html",
        description="Write the one-file report of the last run, and say which bot was judged and what closure misses.",
        epilog="example: pytest features/ --venue=fake; python -m botproof.evidence.html --reports reports",
    )
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="the run's reports folder (%(default)s)")
    reports: Path = parser.parse_args(arguments).reports
    status = 0
    try:
        print(f"report: {publish(reports).resolve()}")
    except (Refusal, HarnessError, OSError) as error:
        print(f"report: none; {error}", file=sys.stderr, flush=True)
        status = 1
    for line in closing_lines(reports):
        print(line)
    return status


def _results(folder: Path) -> list[int]:
    """When each result was written, in nanoseconds."""
    return [path.stat().st_mtime_ns for path in folder.glob("*-result.json")]


def _allure() -> str:
    """The Allure 3 program; a system-wide Allure may be the Java one of major version 2."""
    places = os.pathsep.join([str(Path("node_modules", ".bin").resolve()), os.environ.get("PATH", os.defpath)])
    program = shutil.which("allure", path=places)
    if program is None or shutil.which("node") is None:
        missing = "node" if program else "allure"
        raise Refusal(f"expected Allure 3 and Node to write the report, found no {missing}; in a checkout: make accept")
    version = _run([program, "--version"]).strip()
    if not version.startswith("3."):
        raise Refusal(f"expected Allure 3 to write the report, found {version or 'no version'} at {program}")
    return program


def _generate(program: str, results: Path, folder: Path) -> str:
    config, output = folder / "allurerc.json", folder / "out"
    config.write_text(json.dumps(_configuration()), encoding="utf-8")
    said = _run([program, "generate", "--config", str(config), "--output", str(output), str(results)])
    try:
        return (output / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise HarnessError(f"allure generate wrote no index.html: {_last_line(said)}") from None


def _configuration() -> dict[str, Any]:
    awesome = {"singleFile": True, "reportLanguage": "en", "groupBy": ["parentSuite", "feature", "story"]}
    return {
        "name": "Bitget acceptance",
        "categories": list(CATEGORIES),
        "plugins": {"awesome": {"options": awesome}},
    }


def _run(command: Sequence[str]) -> str:
    """What `command` printed; raises `HarnessError` with its last line where it fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GENERATE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise HarnessError(f"{command[0]} did not end within {GENERATE_TIMEOUT_S} s") from None
    if done.returncode:
        raise HarnessError(f"{command[0]} ended with {done.returncode}: {_last_line(done.stderr or done.stdout)}")
    return done.stdout


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main())
