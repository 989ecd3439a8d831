"""The bridge as a user meets it: a folder with a feature of its own, and the results that allure reads."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from botproof.evidence import attachments

pytest_plugins = ["pytester"]

CONFTEST = """
from botproof.evidence.attachments import AllureBridge

def pytest_configure(config):
    config.pluginmanager.register(AllureBridge(config))
"""

STEPS = """
from decimal import Decimal

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from botproof.errors import Broken, HarnessError, NotShown
from botproof.evidence.attachments import attach_file, attach_text, label

scenarios(".")

@pytest.fixture
def secret():
    return "s3cret"

@pytest.fixture(autouse=True)
def server():
    attach_text("server log", "listening")

@given(parsers.parse("an account of {amount:d} USDT"), converters={"amount": Decimal})
def account(amount, secret):
    attach_text("books", '{"cash": 20}', "json")

@given(parsers.parse("sizes of {sizes} BTC"), converters={"sizes": lambda text: text.split(" and ")})
def sizes(sizes):
    assert len(sizes) == 2

@when("the orders are:")
def orders(datatable):
    assert datatable

@when("the note is:")
def note(docstring):
    assert docstring

@then("all is well")
def well():
    label("venue", "fake")

@then("the file is attached")
def attached(tmp_path):
    (tmp_path / "tape.jsonl").write_text("{}")
    attach_file(tmp_path / "tape.jsonl")

@then("it breaks")
def broken():
    raise Broken("E1: 0.001 over")

@then("it is not shown")
def not_shown():
    raise NotShown("E1: never exercised")

@then("the harness fails")
def harness():
    raise HarnessError("the journal and the tape disagree")

@then("it is skipped")
def skipped():
    pytest.skip("no data")

@then("it is awaited")
async def awaited():
    pass
"""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def own_plugins_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is installed beside the bridge is not imported again for every inner session."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "allure_pytest.plugin,pytest_bdd.plugin")


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run one feature, given as text, and return its results by title."""

    def run_feature(feature: str, *options: str, **outcomes: int) -> dict[str, Any]:
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(test_features=STEPS)
        folder = pytester.mkdir("envelope")
        (folder / "one.feature").write_text(feature, encoding="utf-8")
        result = pytester.runpytest("--alluredir=results", *options)
        result.assert_outcomes(**(outcomes or {"passed": 1}))
        return {result["name"]: result for result in read(pytester.path / "results")}

    return run_feature


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-result.json")]


def labels(result: Mapping[str, Any], name: str) -> list[str]:
    return [label["value"] for label in result["labels"] if label["name"] == name]


def scenario(*lines: str) -> str:
    steps = "\n".join(f"    {line}" for line in lines)
    return f"Feature: The envelope holds\n  Scenario: an order rests\n{steps}\n"


def steps(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(step["name"], step["status"]) for step in result["steps"]]


def only(run_results: Mapping[str, Any]) -> dict[str, Any]:
    [result] = run_results.values()
    return dict(result)


def test_gherkin_steps_are_allure_steps_in_order(run: Run) -> None:
    result = only(run(scenario("Given an account of 20 USDT", "Then all is well")))
    assert steps(result) == [("Given an account of 20 USDT", "passed"), ("Then all is well", "passed")]
    assert labels(result, "venue") == ["fake"]


def test_scalars_of_the_text_are_parameters_and_fixtures_are_not(run: Run, pytester: pytest.Pytester) -> None:
    result = only(run(scenario("Given an account of 20 USDT")))
    assert result["steps"][0]["parameters"] == [{"name": "amount", "value": "20"}]
    assert all("s3cret" not in path.read_text() for path in (pytester.path / "results").glob("*.json"))


def test_object_made_from_the_text_is_no_parameter(run: Run) -> None:
    assert not only(run(scenario("Given sizes of 0.01 and 0.02 BTC")))["steps"][0].get("parameters")


def test_attachment_made_in_a_step_hangs_at_the_step(run: Run, pytester: pytest.Pytester) -> None:
    result = only(run(scenario("Given an account of 20 USDT")))
    [attachment] = result["steps"][0]["attachments"]
    assert (attachment["name"], attachment["type"]) == ("books", "application/json")
    assert (pytester.path / "results" / attachment["source"]).read_text() == '{"cash": 20}'


def test_attachment_made_in_a_fixture_before_the_scenario_hangs_at_the_fixture(
    run: Run, pytester: pytest.Pytester
) -> None:
    run(scenario("Then all is well"))
    containers = [json.loads(path.read_text()) for path in (pytester.path / "results").glob("*-container.json")]
    befores = [before for container in containers for before in container.get("befores", [])]
    assert [before["attachments"][0]["name"] for before in befores if before["name"] == "server"] == ["server log"]


FIXTURES = """
import pytest
from botproof.evidence.attachments import attach_text
from allure import step

@pytest.fixture
def silent():
    yield

@pytest.fixture
def telling():
    attach_text("server log", "listening")

@pytest.fixture
def stepping():
    with step("warming up"):
        pass

@pytest.fixture
def failing():
    raise RuntimeError("no room")

@pytest.fixture
def telling_at_its_end(request):
    def finish():
        attach_text("server log", "gone")
    request.addfinalizer(finish)

@pytest.fixture
def failing_at_its_end(request):
    def finish():
        raise RuntimeError("no way out")
    request.addfinalizer(finish)

@pytest.mark.parametrize("name", NAMES)
def test_stands_on(request, name):
    request.getfixturevalue(name)
"""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("silent", set()),
        ("telling", {"telling"}),
        ("stepping", {"stepping"}),
        ("failing", {"failing"}),
        ("telling_at_its_end", {"telling_at_its_end::finish"}),
        ("failing_at_its_end", {"failing_at_its_end::finish"}),
    ],
)
def test_fixture_is_shown_only_where_it_has_something_to_show(
    pytester: pytest.Pytester, name: str, shown: set[str]
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(FIXTURES.replace("NAMES", repr([name])))
    pytester.runpytest("--alluredir=results")
    containers = [json.loads(path.read_text()) for path in (pytester.path / "results").glob("*-container.json")]
    assert {part["name"] for each in containers for part in each.get("befores", []) + each.get("afters", [])} == shown


def test_fixture_that_says_nothing_leaves_no_trace_in_the_reporter(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        CONFTEST
        + """
from botproof.evidence import attachments

def pytest_collection_finish(session):  # what an earlier session in this process left behind is its own business
    session.config.there_before = set(attachments._reporter()._items)

def pytest_sessionfinish(session):
    assert set(attachments._reporter()._items) == session.config.there_before
"""
    )
    pytester.makepyfile("import pytest\n\n@pytest.fixture\ndef silent(): ...\n\ndef test_it(silent): ...\n")
    result = pytester.runpytest("--alluredir=results")
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_data_table_is_attached_as_csv(run: Run, pytester: pytest.Pytester) -> None:
    result = only(run(scenario("When the orders are:", "  | side | note |", "  | buy  | a, b |")))
    [attachment] = result["steps"][0]["attachments"]
    assert (attachment["name"], attachment["type"]) == ("Data table", "text/csv")
    assert (pytester.path / "results" / attachment["source"]).read_text() == 'side,note\nbuy,"a, b"\n'


def test_doc_string_is_attached_as_text_and_is_no_parameter(run: Run, pytester: pytest.Pytester) -> None:
    result = only(run(scenario("When the note is:", '"""', "two", "lines", '"""')))
    [attachment] = result["steps"][0]["attachments"]
    assert (pytester.path / "results" / attachment["source"]).read_text() == "two\nlines"
    assert not result["steps"][0].get("parameters")


def test_file_is_attached_under_its_own_name(run: Run) -> None:
    result = only(run(scenario("Then the file is attached")))
    assert result["steps"][0]["attachments"][0]["name"] == "tape.jsonl"
    assert result["steps"][0]["attachments"][0]["type"] == "text/plain"


@pytest.mark.parametrize(
    ("phrase", "status", "verdict"),
    [
        ("it breaks", "failed", ["BROKEN"]),
        ("it is not shown", "failed", ["NOT SHOWN"]),
        ("the harness fails", "broken", []),
    ],
)
def test_verdict_and_harness_error_are_told_apart(run: Run, phrase: str, status: str, verdict: list[str]) -> None:
    result = only(run(scenario(f"Then {phrase}", "And all is well"), failed=1))
    assert result["status"] == status
    assert labels(result, "verdict") == verdict
    assert steps(result) == [(f"Then {phrase}", status), ("And all is well", "skipped")]


def test_held_scenario_has_no_verdict_label(run: Run) -> None:
    assert labels(only(run(scenario("Then all is well"))), "verdict") == []


def test_undefined_step_is_shown_broken_and_the_rest_skipped(run: Run) -> None:
    result = only(run(scenario("Given a unicorn", "Then all is well"), failed=1))
    assert steps(result) == [("Given a unicorn", "broken"), ("Then all is well", "skipped")]


def test_skip_inside_a_step_closes_the_step(run: Run) -> None:
    result = only(run(scenario("Then it is skipped", "And all is well"), skipped=1))
    assert result["status"] == "skipped"
    assert steps(result) == [("Then it is skipped", "skipped"), ("And all is well", "skipped")]


def test_async_step_is_an_error_of_the_harness(run: Run) -> None:
    result = only(run(scenario("Then it is awaited"), failed=1))
    assert steps(result) == [("Then it is awaited", "broken")]
    assert "'async def'" in result["statusDetails"]["message"]


def test_async_step_is_an_error_without_a_report_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_features=STEPS)
    pytester.makefile(".feature", one=scenario("Then it is awaited"))
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*HarnessError: step 'Then it is awaited': awaited is 'async def'*"])


def test_rule_is_the_story_and_background_steps_are_shown(run: Run) -> None:
    feature = """
        Feature: The envelope holds
          What it is for.

          Rule: Size is bounded
            Background:
              Given an account of 20 USDT

            Scenario: an order rests
              Said by the scenario.

              Then all is well
    """
    result = only(run(feature))
    assert (labels(result, "feature"), labels(result, "story")) == (["The envelope holds"], ["Size is bounded"])
    assert (labels(result, "parentSuite"), labels(result, "suite")) == (["envelope"], ["The envelope holds"])
    assert result["description"] == "What it is for.\n\nSaid by the scenario."
    assert len(result["steps"]) == 2


def test_scenario_without_a_rule_is_its_own_story(run: Run) -> None:
    assert labels(only(run(scenario("Then all is well"))), "story") == ["an order rests"]


OUTLINE = """
Feature: The envelope holds
  Scenario Outline: an account of <amount>
    Given an account of <amount> USDT

    Examples:
      | amount |
      | 20     |
      | 30     |
"""


def test_rows_of_an_outline_share_the_case_and_have_a_history_each(run: Run) -> None:
    rows = run(OUTLINE, passed=2)
    assert rows.keys() == {"an account of 20", "an account of 30"}
    assert rows["an account of 20"]["parameters"] == [{"name": "amount", "value": "20"}]
    assert len({row["testCaseId"] for row in rows.values()}) == 1
    assert len({row["historyId"] for row in rows.values()}) == 2


def test_identity_of_a_scenario_does_not_depend_on_its_neighbours(run: Run, pytester: pytest.Pytester) -> None:
    alone = only(run(scenario("Then all is well")))
    neighbour = scenario("Then all is well").replace("The envelope holds", "Another promise")
    (pytester.path / "envelope" / "a_neighbour.feature").write_text(neighbour)
    pytester.runpytest("--alluredir=both").assert_outcomes(passed=2)
    both = {labels(result, "feature")[0]: result for result in read(pytester.path / "both")}
    for identity in ("testCaseId", "historyId"):
        assert both["The envelope holds"][identity] == alone[identity]
        assert both["Another promise"][identity] != alone[identity]


def test_tags_become_severity_labels_and_links(run: Run) -> None:
    tags = "@severity:critical @epic:rollout @issue:https://tracker.example/7\n"
    result = only(run(tags + scenario("Then all is well"), "--strict-markers"))
    assert labels(result, "severity") == ["critical"]
    assert labels(result, "epic") == ["rollout"]
    assert result["links"] == [{"type": "issue", "url": "https://tracker.example/7", "name": "7"}]


def test_bare_severity_is_a_severity_and_no_mark(run: Run) -> None:
    assert labels(only(run("@blocker\n" + scenario("Then all is well"), "--strict-markers")), "severity") == ["blocker"]


def test_tag_that_nobody_registered_is_still_an_error(run: Run) -> None:
    assert run("@typo\n" + scenario("Then all is well"), "--strict-markers", errors=1) == {}


def test_plain_test_beside_the_features_is_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_plain="def test_plain():\n    '''Said.'''\n")
    both = run(scenario("Then all is well"), passed=2)
    assert both["test_plain"]["description"] == "Said."


def test_constant_files_are_written_at_the_end(run: Run, pytester: pytest.Pytester) -> None:
    run(scenario("Then all is well"))
    categories = json.loads((pytester.path / "results" / "categories.json").read_text())
    assert [category["name"] for category in categories] == [each["name"] for each in attachments.CATEGORIES]
    assert json.loads((pytester.path / "results" / "executor.json").read_text())["type"] == "pytest"


def test_nothing_is_written_without_alluredir(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_features=STEPS)
    pytester.makefile(".feature", one=scenario("Given an account of 20 USDT", "Then the file is attached"))
    pytester.runpytest().assert_outcomes(passed=1)
    assert not list(pytester.path.rglob("*-result.json"))


def test_attachment_outside_any_test_belongs_to_the_report(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        from botproof.evidence.attachments import attach_text

        def pytest_sessionfinish():
            attach_text("summary", "all held")
    """)
    pytester.makepyfile(test_plain="def test_plain(): pass")
    pytester.runpytest("--alluredir=results").assert_outcomes(passed=1)
    [stated] = (pytester.path / "results").glob("*-globals.json")
    assert json.loads(stated.read_text())["attachments"][0]["name"] == "summary"


def test_results_of_two_workers_are_complete(run: Run, pytester: pytest.Pytester) -> None:
    rows = run(OUTLINE, "-p", "xdist", "-n2", passed=2)
    assert all(steps(row)[0][1] == "passed" for row in rows.values())
    assert (pytester.path / "results" / "executor.json").exists()


def test_folder_of_results_is_the_business_of_the_controller_alone(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfig("--alluredir=results")
    assert attachments.results_folder(config) == Path("results")
    vars(config)["workerinput"] = {}
    assert attachments.results_folder(config) is None
    assert attachments.results_folder(pytester.parseconfig()) is None


# Files too large to be inlined.


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What would have been attached: name and body; at most 10 bytes a file."""
    seen: list[tuple[str, bytes]] = []
    monkeypatch.setattr(attachments, "_reporter", object)
    monkeypatch.setattr(attachments, "ATTACHED_BYTES_MAX", 10)
    monkeypatch.setattr(attachments, "_attach", lambda body, name, kind: seen.append((name, body)))
    return seen


def test_file_of_exactly_the_limit_is_attached_whole(tmp_path: Path, attached: list[tuple[str, bytes]]) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3\n")
    attachments.attach_file(tmp_path / "a.csv", "rows")
    assert attached == [("rows", b"a,b\n1,2\n3\n")]


def test_file_over_the_limit_is_cut_after_a_line_and_says_so(tmp_path: Path, attached: list[tuple[str, bytes]]) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    attachments.attach_file(tmp_path / "a.csv")
    assert attached == [(f"a.csv (first 8 of 12 bytes; all: {tmp_path / 'a.csv'})", b"a,b\n1,2\n")]


def test_picture_over_the_limit_is_only_pointed_at(tmp_path: Path, attached: list[tuple[str, bytes]]) -> None:
    (tmp_path / "a.svg").write_bytes(b"<svg>......</svg>")
    attachments.attach_file(tmp_path / "a.svg")
    assert attached == [("a.svg", f"17 bytes, not attached: {tmp_path / 'a.svg'}\n".encode())]


# Files about the results.


def test_environment_survives_the_syntax_of_properties(tmp_path: Path) -> None:
    attachments.write_environment(tmp_path / "new", {"Bot judged": "reference", "path": "a\\b\nc"})
    text = (tmp_path / "new" / "environment.properties").read_text()
    assert text == "Bot\\ judged=reference\npath=a\\\\b\\nc\n"


def test_executor_names_the_build(tmp_path: Path) -> None:
    attachments.write_executor(tmp_path, "seed 1")
    assert json.loads((tmp_path / "executor.json").read_text())["buildName"] == "seed 1"
