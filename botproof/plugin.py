"""The pytest plugin: options and hooks.

Every pytest run of a machine where botproof is installed imports this module, so it defines options and no more;
the rest is imported by name once an acceptance session is under way (a folder of `botproof_features` was named, or
`--venue` given), and the steps once a module that collects scenarios is found.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from botproof.session import Session
    from botproof.settings import Recording, Settings
    from botproof.stage import Stage

SETTINGS: "pytest.StashKey[Settings]" = pytest.StashKey()
STAGE: "pytest.StashKey[Stage]" = pytest.StashKey()
SESSION: "pytest.StashKey[Session]" = pytest.StashKey()
STEPS = ("account", "bot", "clock", "closure", "conformance", "envelope", "evidence", "market", "venue")
PLACES = ("fake", "rehearsal", "demo", "live")
OPTIONS = {
    "venue": "where the bot trades: fake (default), rehearsal, demo, live",
    "bot": "the bot judged: reference (default) or python:module:factory",
    "profile": "a profile (name or file) that replaces the role of its own mode",
    "seed": "whole number from which every draw of the session is derived (default 1)",
    "clock": "virtual (default on the fake) or real",
    "market": "synthetic (default), or replay:FILE[#k]: a segment of recorded trades or candles",
    "window": "length of `the bounded window`, such as 15m or 2h (default: the terms')",
    "reports": "folder for evidence and report (default: reports)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("botproof", "botproof: acceptance of a trading bot")
    for name, text in OPTIONS.items():
        group.addoption(f"--{name}", dest=f"botproof_{name}", default=None, metavar=name.upper(), help=text)
    text = "list every Gherkin step with an example, and end"
    group.addoption("--steps", dest="botproof_steps", action="store_true", default=False, help=text)
    parser.addini("botproof_features", "folders of features that botproof runs", type="paths", default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fake: may run on the fake venue")
    config.addinivalue_line("markers", "rehearsal: may run in a rehearsal of the live path")
    config.addinivalue_line("markers", "demo: may run on Bitget demo trading")
    config.addinivalue_line("markers", "live: may run on the live venue")
    if not _is_acceptance(config):
        return
    from botproof.errors import Refusal
    from botproof.session import Session
    from botproof.settings import read_settings

    options = {name: config.getoption(f"botproof_{name}") for name in OPTIONS}
    try:
        settings = read_settings(options, config.rootpath, _open_recording)
    except Refusal as refusal:
        raise pytest.UsageError(f"botproof: {refusal}") from None
    config.stash[SETTINGS] = settings
    config.stash[SESSION] = session = Session(config, settings)
    config.pluginmanager.register(session, "botproof.session")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """`--steps` is answered instead of a session."""
    if not config.getoption("botproof_steps"):
        return None
    from botproof.vocabulary import list_steps

    for line in list_steps(config):
        print(line)
    return 0


def _is_acceptance(config: pytest.Config) -> bool:
    """Whether a venue was named, or something below a folder that the configuration declares as features."""
    if config.getoption("botproof_venue") is not None:
        return True
    folders = config.getini("botproof_features")
    asked = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    return any(path.is_relative_to(folder) for path in asked for folder in folders)


def _open_recording(text: str, window_s: int) -> "Recording":
    from botproof.fakes.recordings import open_recording

    return open_recording(text, Path(), window_s)


def _collects_scenarios(path: Path) -> bool:
    return b"pytest_bdd" in path.read_bytes()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """Register fixtures and steps as soon as a module that collects scenarios turns up."""
    manager = parent.config.pluginmanager
    if SETTINGS not in parent.config.stash or not _collects_scenarios(module_path):
        return
    for name in ("fakes.fixtures", "fixtures", "conformance.fixtures", *(f"steps.{noun}" for noun in STEPS)):
        if not manager.has_plugin(f"botproof.{name}"):
            manager.import_plugin(f"botproof.{name}")


def pytest_report_header(config: pytest.Config) -> list[str]:
    return config.stash[SESSION].header() if SESSION in config.stash else []
