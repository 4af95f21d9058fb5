"""The house stands: locked dependencies, one version, imports one way, modules that say what they are."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import landbridge

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
MODULES = sorted(p for p in (ROOT / "src").rglob("*.py") if p.stat().st_size)
_ENTRY = re.compile(r"^([a-z0-9._-]+)==(\S+?)( ;[^\\]*)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n?", re.M)


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


def _house() -> dict[str, dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_a_lock_is_nothing_but_versions_and_their_hashes(lock: Path) -> None:
    rest = _ENTRY.sub("", lock.read_text("utf-8"))
    assert rest.strip() == ""  # no address, no option, no path of a machine


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_every_dependency_of_the_package_is_locked(name: str) -> None:
    house = _house()
    project = house["project"]
    wanted = list(project["dependencies"])
    if name == "dev":
        wanted += [one for some in project["optional-dependencies"].values() for one in some]
        wanted += house["dependency-groups"]["dev"]
    locked = {
        match[1] for match in _ENTRY.finditer((ROOT / "requirements" / f"{name}.txt").read_text("utf-8"))
    }
    assert {_name(w) for w in wanted} - locked == set()


def test_what_is_tested_is_what_runs() -> None:
    versions = {lock.stem: {m[1]: m[2] for m in _ENTRY.finditer(lock.read_text("utf-8"))} for lock in LOCKS}
    differing = {n for n, v in versions["runtime"].items() if versions["dev"].get(n) != v}
    assert differing == set()


def test_the_changelog_opens_with_the_version_of_the_package() -> None:
    changes = ROOT / "CHANGELOG.md"
    if not changes.exists():
        pytest.skip("not run: no CHANGELOG.md here")
    released = re.search(r"^## \[?(\d+\.\d+\.\d+)", changes.read_text("utf-8"), re.M)
    assert released is not None
    assert released[1] == landbridge.__version__


def test_imports_run_one_way() -> None:
    contract = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
    )
    assert contract.returncode == 0, contract.stdout + contract.stderr
    assert "2 kept, 0 broken" in contract.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_a_module_opens_with_a_sentence(module: Path) -> None:
    text = ast.get_docstring(ast.parse(module.read_text("utf-8")))
    assert text, "what is this module for?"


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.split()[:5] == ["Apache", "License", "Version", "2.0,", "January"]
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("script", ["run", ".ci/run", "requirements/lock"])
def test_a_script_can_be_run_and_is_sound(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    commands = [line for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if "./run" in line]
    assert commands[-1] == "exec ./run test"


def test_run_says_in_words_that_no_python_fits(tmp_path: Path) -> None:
    """A machine whose only Python is too old."""
    for name in ("bash", "cat", "cksum", "dirname", "env"):
        (tmp_path / name).symlink_to(subprocess.check_output(["which", name], text=True).strip())
    old = tmp_path / "python3"
    old.write_text("#!/usr/bin/env bash\nexit 1\n")
    old.chmod(0o755)
    house = tmp_path / "house"
    (house / "requirements").mkdir(parents=True)
    for part in ("run", "pyproject.toml", "requirements/build.txt", "requirements/runtime.txt"):
        (house / part).write_bytes((ROOT / part).read_bytes())
    answer = subprocess.run(
        ["bash", str(house / "run"), "find", "welder"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 2
    assert "no Python 3.11" in answer.stderr
