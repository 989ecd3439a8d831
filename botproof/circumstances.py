"""Versions, host and wall time of a run: kept beside the payload, never in its digest."""

import functools
import importlib.metadata
import platform
import subprocess
from datetime import UTC, datetime
from typing import Any

PACKAGES = ("pytest-botproof", "pytest", "pytest-bdd", "httpx", "websockets", "uvicorn")


@functools.cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages a run depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


@functools.cache
def git_state() -> str:
    """The commit of the checkout and whether it was changed; empty outside one."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def circumstances() -> dict[str, Any]:
    """What may differ between two runs of the same seed."""
    return {
        "versions": versions(),
        "host": platform.node(),
        "system": platform.platform(),
        "git": git_state(),
        "sealed_utc": datetime.now(UTC).isoformat(),
    }
