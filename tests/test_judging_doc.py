"""docs/judging-no-trade.md: its commands run as written, and it tells every rule, source and option there is."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from notrade_windows import NoTradeWindow, seal_run
from stages import a_stage, finished
from test_notrade_cases import front

from botproof.cli import main
from botproof.commands.judge import no_trade
from botproof.notrade.answer import RULES
from botproof.notrade.record import SOURCES, read_record

PAGE = (Path(__file__).parents[1] / "docs" / "judging-no-trade.md").read_text()
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def test_the_commands_pass_on_a_run_of_the_fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_stage(tmp_path, role="no_trade") as stage:
        sealed = finished(stage).run.sealed
    assert sealed is not None
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        program, *arguments = shlex.split(command.replace("RUN", str(sealed)))
        if program == "botproof":
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 0, result.output
        else:
            assert program.endswith("validate_notrade_window.py")
            assert front().main(arguments) == 0


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_section_with_what_it_stops(rule: str) -> None:
    section = re.search(rf"^### {rule} .*?(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert "*Stops:*" in section[0]


def test_every_option_and_source_is_told() -> None:
    for parameter in no_trade.params:
        assert f"`{parameter.opts[0]}`" in PAGE
    for source in SOURCES:
        assert re.search(rf"^\| .*\b{source}\b", PAGE, re.MULTILINE), source


def test_the_example_of_a_record_is_read_as_far_as_it_goes() -> None:
    block = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    record = read_record(json.loads(block[1]))
    assert record.flaws == ()
    assert record.open_orders is not None
    assert record.known_orders[0].order_id == "102"


def test_a_run_can_be_given_by_its_run_json(tmp_path: Path) -> None:
    window = NoTradeWindow.hour(tmp_path)
    asked = window.write()
    sealed = seal_run(window, {"minute.csv": window.minute_bytes(), "fills.csv": Path(asked["fills_csv"]).read_bytes()})
    window.asked = {"run_record": str(sealed / "run.json")}
    assert window.judge().answer == "PASS"
