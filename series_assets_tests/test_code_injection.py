"""No YAML file runs code: each attack ends in a message, before anything is evaluated.

With every command that reads a series, and when Dagster loads it.
"""

import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from series_assets import definitions
from series_assets.cli import main
from series_assets.engine import derived_columns, patches
from series_assets.settings import Settings
from series_assets_tests.builders import a_specification, a_user_input, write_series

ATTACKS = [
    "@pd.io.common.os.system('touch x')",
    "@pd.io.common.os.mkdir('x')",
    "@df.to_csv('x')",
    "amount.to_csv('x')",
    "amount.to_pickle('x')",
    "amount.pipe(@pd.to_pickle,'x')",
    "@pd.eval('@pd.io.common.os.mkdir(\"x\")')",
    "@pd.read_pickle('x')",
    "@pd.DataFrame([1]).to_csv('x')",
    "`amount`.to_csv('x')",
    "@df.eval('amount.to_csv(\"x\")')",
    "@df.query('amount.to_csv(\"x\")')",
    "amount.values.tofile('x')",
    "amount.apply(@pd.io.common.os.mkdir)",
    "amount.map(@pd.io.common.os.mkdir)",
    "amount.agg('to_csv')",
    "sex.str.__class__",
    "amount.__class__.__init__.__globals__",
    "amount.__init__.__globals__['sys'].modules['os'].system('touch_x')",
    "@np.save('x',amount)",
    "@re.sys.modules['os'].system('touch_x')",
    "__import__('os').system('touch_x')",
    "__pd_eval_local_pd.io.common.os.mkdir('x')",
    "(lambda:amount.to_csv('x'))()",
    "[x.to_csv('x')for(x)in[amount]]",
    "f'{amount.to_csv(chr(120))}'",
    "'{0.__class__}'.format(amount)",
    "9**9**9**9",
    "'a'*10**12",
    "sex.str.pad(10**12)",
    "sex.str.contains('(a+)+$')",
    "@randint(1,7,10**13)",
]
"""Attacks in derived columns, constraints and filters: writing, executing, accessing, growing."""
BY_GROUPS = [
    "pd.io.common.os.mkdir('groupby')",
    "pd.to_pickle(df,'groupby')",
    "np.save('groupby',df)",
    "df.groupby('sex').pipe(pd.to_pickle,'x')",
    "df.groupby('sex')['amount'].agg(pd.io.common.os.mkdir)",
    "df.groupby('sex')['amount'].obj.to_csv('x')",
]
"""Attacks that are possible only in calculations by group."""


def attacked(section: str, attack: str) -> tuple[dict[str, Any], str]:
    """Return a specification with an attack, and the start of its message."""
    specification = a_specification()
    constraints = specification["constraints"]
    if section == "derived":
        specification["derived_columns"] = {"made": attack}
        return specification, f"derived_columns.made '{attack}' "
    text = f"amount > {attack}"
    if section == "basic":
        constraints["basic_constraints"] = [text]
        return specification, f"constraints.basic_constraints '{text}' "
    constraints["custom_constraints"] = {
        "one": {"filter": text, "targets": {"region": "make_same"}}
    }
    return specification, f"constraints.custom_constraints.one.filter '{text}' "


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with its own settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path


def assert_refused(
    place: Path, specification: dict[str, Any], message: str, patch: pytest.MonkeyPatch
) -> None:
    """Run everything that reads a series, and check its messages and side effects."""
    write_series(place / "series", specification, a_user_input())
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    reported = f"demo/specification.yml: {message}"
    for module in (patches.constraints, derived_columns.derived):
        for name in ("get_constraint_mask", "generate_derived_column"):
            if hasattr(module, name):
                patch.setattr(module, name, _never)
    started = time.monotonic()
    for command in ("validate", "generate", "check"):
        result = CliRunner().invoke(main, [command, "demo"])
        assert result.exit_code == 2, command
        assert result.stderr.startswith(reported), result.stderr
        assert "Traceback" not in result.output
    listed = CliRunner().invoke(main, ["list"])
    assert message.strip() in listed.output
    assert "broken" in listed.output
    with pytest.warns(UserWarning, match="series demo is broken"):
        loaded = definitions.load(Settings(place / "series", place / "data", strict=False))
    assert isinstance(loaded, dg.Definitions)
    assert time.monotonic() - started < 5
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("was evaluated")


@pytest.mark.each_value
@pytest.mark.parametrize("section", ["derived", "basic", "filter"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_ends_in_a_message(
    place: Path, monkeypatch: pytest.MonkeyPatch, section: str, attack: str
) -> None:
    """With file and key, exit code 2, no evaluation and no files, in under five seconds."""
    assert_refused(place, *attacked(section, attack), monkeypatch)


@pytest.mark.parametrize("attack", BY_GROUPS)
def test_an_attack_by_groups_ends_in_a_message(
    place: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    """Where Exhibit evaluates with pandas and numpy in scope, without any @."""
    assert_refused(place, *attacked("derived", attack), monkeypatch)


@pytest.mark.parametrize("constraint", ["{0} > amount", "~{0}~ > amount", "amount > {0}"])
def test_the_name_of_a_column_ends_in_a_message(
    place: Path, monkeypatch: pytest.MonkeyPatch, constraint: str
) -> None:
    """The header of a received table may be an attack; expressions that use it are refused."""
    name = "@pd.io.common.os.mkdir('x')"
    specification = a_specification()
    specification["columns"][name] = dict(specification["columns"]["amount"])
    text = constraint.format(name)
    specification["constraints"]["basic_constraints"] = [text]
    message = f"constraints.basic_constraints '{text}' "
    assert_refused(place, specification, message, monkeypatch)


def test_a_model_outside_of_exhibits_folder_ends_in_a_message(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path cannot select a file to be unpickled."""
    specification = a_specification() | {"models": {"../../../../x": {}}}
    assert_refused(place, specification, "models.../../../../x ", monkeypatch)


@pytest.mark.parametrize("attack", ["amount.to_csv('x')", "@pd.io.common.os.mkdir('x')"])
def test_the_engine_asks_again(place: Path, attack: str) -> None:
    """Even a calculation or filter that got past validation is not evaluated."""
    import pandas as pd

    from series_assets.core.errors import GenerationError
    from series_assets.core.spec.expressions import RefusedError

    frame = pd.DataFrame({"amount": [1.0, 2.0]})
    with pytest.raises(GenerationError, match="cannot be computed: RefusedError: uses "):
        derived_columns.compute(frame, attack)
    with pytest.raises(RefusedError, match="uses "):
        patches.rows_that_match(frame, f"amount > {attack}")
    assert list(place.iterdir()) == []
