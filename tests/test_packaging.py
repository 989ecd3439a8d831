"""What is built, what it holds, and what an installed copy answers to."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import botproof

ROOT = Path(__file__).parents[1]
PACKED = {
    "botproof": "botproof",
    "fakes": "botproof/fakes",
    "features": "botproof/features",
    "profiles": "botproof/profiles",
    "steps": "botproof/steps",
}
# Beside modules, these travel with the package.
DATA = {"features": (".feature",), "profiles": (".yml",)}
HOSTS = {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def shipped() -> Iterator[str]:
    """The files of the tree under the names they are installed by."""
    for folder, target in PACKED.items():
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", *DATA.get(folder, ())):
                yield f"{target}/{path.relative_to(ROOT / folder).as_posix()}"


def run(code: str, *arguments: str, cwd: Path, isolated: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new interpreter; an isolated one sees the standard library and what `code` adds to it."""
    options = ["-I", "-S"] if isolated else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    return subprocess.run(
        [sys.executable, *options, "-c", code, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built from, so that building leaves nothing in the tree."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in PACKED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "conftest.py", "pytest.ini"):
        shutil.copy(ROOT / name, copy)
    return copy


def build(checkout: Path, kind: str, folder: Path) -> ZipFile:
    """Build by the backend itself: no isolated environment, hence no package index."""
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    done = run(code, str(folder), cwd=checkout)
    assert done.returncode == 0, done.stderr
    [wheel] = folder.glob("*.whl")
    return ZipFile(wheel)


@pytest.fixture(scope="session")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    return build(checkout, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def editable(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like site-packages, with an editable install of the checkout in it."""
    site = tmp_path_factory.mktemp("site")
    build(checkout, "editable", tmp_path_factory.mktemp("editable")).extractall(site)
    return site


def test_wheel_holds_the_tree_and_nothing_else(wheel: ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == set(shipped())


def test_wheel_has_one_top_level_name(wheel: ZipFile) -> None:
    names = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"botproof"}


def test_wheel_carries_the_profiles(wheel: ZipFile) -> None:
    held = set(wheel.namelist())
    assert "botproof/profiles/terms/day15.yml" in held
    assert "botproof/profiles/controllers/epp_v2_4_bot1_bitget_live_microcap.yml" in held


def test_wheel_announces_the_plugin_under_the_name_of_its_module(wheel: ZipFile) -> None:
    [announced] = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "[pytest11]\nbotproof.plugin = botproof.plugin" in announced
    assert "[console_scripts]\nbotproof = botproof.cli:main" in announced


def test_shipped_features_are_collected_from_the_wheel(wheel: ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    arguments = ("--pyargs", "botproof.features", "--venue=fake", "--collect-only", "-q", "-p", "no:cacheprovider")
    done = run(code, str(tmp_path / "site"), *arguments, cwd=tmp_path / "elsewhere")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_features.py::" in done.stdout


FRONT = "import sys; sys.path.insert(0, sys.argv.pop(1)); "
NEW, PYTEST = (
    FRONT + "from botproof.cli import main; main()",
    FRONT + "import pytest; sys.exit(pytest.main(sys.argv[1:]))",
)


def test_what_new_lays_out_runs_from_the_wheel(wheel: ZipFile, tmp_path: Path) -> None:
    site, mine = tmp_path / "site", tmp_path / "mine"
    wheel.extractall(site)
    assert run(NEW, str(site), "new", str(mine), cwd=tmp_path).returncode == 0
    done = run(PYTEST, str(site), "-p", "no:cacheprovider", "-p", "no:randomly", cwd=mine)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_a_new_user_gets_from_nothing_to_a_green_and_a_red_scenario(wheel: ZipFile, tmp_path: Path) -> None:
    """In an environment that holds the wheel and what it asks for, and nothing else."""

    def said(*command: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        environment = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    assert wheel.filename is not None
    programs = tmp_path / "environment" / "bin"
    assert said(sys.executable, "-m", "venv", "environment").returncode == 0
    installed = said(str(programs / "pip"), "install", "--quiet", wheel.filename)
    if installed.returncode:
        pytest.skip(f"no package index is at hand: {installed.stderr.splitlines()[-1:]}")
    assert said(str(programs / "botproof"), "new", "mine").returncode == 0
    done = said(str(programs / "pytest"), cwd=tmp_path / "mine")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "E10 BROKEN: " in done.stdout


IMPORTS = """
import importlib, site, sys
site.addsitedir(sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


def test_editable_install_answers_to_the_installed_names(editable: Path, tmp_path: Path) -> None:
    names = ("botproof.fakes", "botproof.steps", "botproof.profiles", "botproof.features")
    done = run(IMPORTS, str(editable), *names, cwd=tmp_path, isolated=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["steps", "fakes", "features", "profiles", "conftest"])
def test_editable_install_gives_away_no_other_name(editable: Path, tmp_path: Path, name: str) -> None:
    done = run(IMPORTS, str(editable), name, cwd=tmp_path, isolated=True)
    assert f"ModuleNotFoundError: No module named '{name}'" in done.stderr


def test_checkout_with_an_editable_install_registers_the_plugin_once(checkout: Path, editable: Path) -> None:
    (checkout / "test_nothing.py").write_text("def test_nothing(): pass\n")
    code = "import site, sys; site.addsitedir(sys.argv.pop(1)); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    done = run(code, str(editable), "-p", "no:cacheprovider", "-q", "test_nothing.py", cwd=checkout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_listed_packages_are_the_folders() -> None:
    setuptools = pyproject()["tool"]["setuptools"]
    folders = {str(Path(name).parent).replace("/", ".") for name in shipped() if name.endswith("/__init__.py")}
    assert set(setuptools["packages"]) == folders
    assert setuptools["package-dir"] == {name.replace("/", "."): folder for folder, name in PACKED.items()}


def test_every_folder_of_modules_is_a_package() -> None:
    modules = {name for name in shipped() if name.endswith(".py")}
    assert {name for name in modules if f"{name.rpartition('/')[0]}/__init__.py" not in modules} == set()


def test_versions_agree() -> None:
    assert pyproject()["project"]["version"] == botproof.__version__


# What the lock files fetch, and from where.


def hosts(text: str) -> set[str]:
    return set(re.findall(r"https?://([^/\"]+)", text))


def resolved(packages: Mapping[str, Mapping[str, Any]]) -> str:
    """Where the packages of a package-lock.json come from; the other addresses in it are home pages and funds."""
    return "\n".join(str(package.get("resolved", "")) for package in packages.values())


def foreign(text: str) -> set[str]:
    """Hosts and schemes in `text` that are not those of the public indexes."""
    return (hosts(text) - HOSTS) | set(re.findall(r"(?:file|ssh|git)(?=://)", text))


def test_lock_files_know_the_public_indexes_only() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert foreign((ROOT / "uv.lock").read_text(encoding="utf-8")) == set()
    assert foreign(resolved(packages)) == set()


@pytest.mark.parametrize(
    "text", ["https://mirror.example/simple", "http://10.0.0.1:8081/pypi/", "file:///opt/pypi", "git://example/a.git"]
)
def test_foreign_index_is_found(text: str) -> None:
    assert foreign(f'source = {{ registry = "{text}" }}')
    assert foreign(resolved({"node_modules/a": {"resolved": text}}))


def test_report_generator_is_pinned() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"3\.\d+\.\d+", package["devDependencies"]["allure"])
