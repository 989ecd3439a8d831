"""A pytest plugin: what each test costs from its first fixture to its last report, written where the options say."""

import cProfile
import json
import time
from collections.abc import Generator
from pathlib import Path

import pytest

_TIMES, _PROFILE = "bench_times", "bench_profile"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench-times", dest=_TIMES, required=True, metavar="FILE", help="where the times go, as JSON")
    parser.addoption("--bench-profile", dest=_PROFILE, metavar="FILE", help="where a profile of all tests goes")


def pytest_configure(config: pytest.Config) -> None:
    profile = config.getoption(_PROFILE)
    stopwatch = Stopwatch(Path(config.getoption(_TIMES)), Path(profile) if profile else None)
    config.pluginmanager.register(stopwatch, "benchmarks.times")


class Stopwatch:
    """CPU and wall seconds by test, in the order in which they ran; under a profiler where a file for it is named."""

    def __init__(self, file: Path, profile_file: Path | None) -> None:
        self._file, self._profile_file = file, profile_file
        self._times: dict[str, tuple[float, float]] = {}
        self._profile = cProfile.Profile()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        began = time.process_time(), time.perf_counter()
        if self._profile_file is not None:
            self._profile.enable()
        try:
            return (yield)
        finally:
            self._profile.disable()
            self._times[item.name] = time.process_time() - began[0], time.perf_counter() - began[1]

    def pytest_sessionfinish(self) -> None:
        self._file.write_text(json.dumps(self._times))
        if self._profile_file is not None:
            self._profile.dump_stats(self._profile_file)
