"""The generated pages are current, and the migration table is true of the model."""

import csv
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aks_kaito.settings import Environment, Settings
from conftest import ENVIRONMENTS, ROOT

SCHEMA = json.loads((ROOT / "environments" / "settings.schema.json").read_text(encoding="utf-8"))
ROWS = re.findall(
    r"^\| `(\w+)` \| (\S+) \| (.+?) \| (.*?) ?\|$",
    (ROOT / "docs" / "migrating-from-the-sample.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
VARIABLES = ROOT.parent / "shared" / "seed-data" / "variables.tsv"
DEPLOYING = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def commands() -> list[tuple[bool, str]]:
    """The commands of the page on deploying, each with whether what stands above it says that it needs Azure."""
    parts = re.split(r"^```console\n(.*?)^```$", DEPLOYING, flags=re.MULTILINE | re.DOTALL)
    blocks = zip(parts[::2], parts[1::2], strict=False)
    return [("**Azure.**" in above, line) for above, block in blocks for line in block.splitlines()]


def field(key: str) -> FieldInfo:
    """The field of a dotted settings key."""
    model: type[BaseModel] = Settings
    *tables, name = key.split(".")
    for table in tables:
        annotation = model.model_fields[table].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return model.model_fields[name]


def test_generated_files_are_current() -> None:
    if not (ROOT / ".venv-app").exists():
        pytest.skip("needs .venv-app (make test installs it)")
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "docs.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_editors_accept_every_environment_and_no_unknown_key(path: Path) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(data, SCHEMA)
    for unknown in ({"colour": "blue"}, {"network": {"colour": "blue"}}, {"openai": {"deployments": {"-": 1}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, **unknown}, SCHEMA)


def test_migration_table_has_every_variable_once() -> None:
    names = [row[0] for row in ROWS]
    assert len(names) == len(set(names)) == 150


def test_migration_table_has_the_samples_own_names() -> None:
    if not VARIABLES.exists():
        pytest.skip("needs the sample's variables in ../shared/seed-data")
    with VARIABLES.open(encoding="utf-8", newline="") as file:
        assert [row[0] for row in ROWS] == [row["name"] for row in csv.DictReader(file, delimiter="\t")]


@pytest.mark.parametrize(("name", "key", "default", "reason"), ROWS, ids=[row[0] for row in ROWS])
def test_migration_table_is_true_of_the_model(name: str, key: str, default: str, reason: str) -> None:
    if key == "—":
        assert default == "—"
        assert reason, f"{name} has neither a key nor a reason"
        return
    found = field(key.strip("`"))
    if found.is_required():
        assert default == "required"
        return
    value = found.get_default()
    value = value.model_dump() if hasattr(value, "model_dump") else value
    assert default == ("—" if value is None else f"`{json.dumps(value)}`")


def test_what_needs_no_azure_on_the_page_on_deploying_runs() -> None:
    if shutil.which("make") is None:
        pytest.skip("needs make (package: make)")
    lines = [line for needs_azure, line in commands() if not needs_azure]
    assert lines == ["make synth ENV=dev"]
    for line in lines:
        command = ["/bin/sh", "-c", line]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert ran.returncode == 0, ran.stderr


def test_what_readme_shows_is_run_or_says_what_it_needs() -> None:
    parts = re.split(
        r"^```console\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    shown = {block.strip(): below.strip()[:400] for block, below in zip(parts[1::2], parts[2::2], strict=True)}
    # Tests or the CI run these, or the program behind them.
    runs = {"make synth", "make test", "make chat", "make diff BASE=main"}
    runs.add(".venv/bin/python tools/diff.py origin/main --markdown --exit-code")
    for command in shown.keys() - runs:
        assert re.search(r"\*\*(Azure|cluster)\*\*", shown[command]), command
    assert runs < shown.keys()


def test_nobody_is_told_to_deploy_every_environment() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tools").glob("*.py"), ROOT / "Makefile"]
    for page in pages:
        assert not re.search(r"""(deploy|destroy) ['"]?\*""", page.read_text(encoding="utf-8")), page


def test_what_the_page_on_deploying_asks_of_make_is_there() -> None:
    asked = {line.split()[1] for _, line in commands() if line.startswith("make ")}
    assert asked == {"deploy", "destroy", "image", "release", "synth"}
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in asked:
        assert re.search(rf"^{target}:", text, re.MULTILINE)


def test_the_page_on_deploying_calls_groups_and_clusters_by_their_names(environments: dict[str, Environment]) -> None:
    found = set(re.findall(r"--resource-group (rg-kaito\S+) --name (\S+)", DEPLOYING))
    names = [environments[each].names for each in ("dev", "prod")]
    assert found == {(each.resource_group, each.cluster) for each in names}


@pytest.mark.parametrize(
    "key", sorted(set(re.findall(r"`((?:\w+\.)+\w+)(?: = [^`]*)?`", DEPLOYING)) - {"cdktf.json", "cdktf.out"})
)
def test_the_page_on_deploying_names_keys_that_exist(key: str) -> None:
    assert field(key)


@pytest.mark.parametrize("key", sorted(set(re.findall(r"^(\w+) = ", DEPLOYING, re.MULTILINE))))
def test_the_example_of_a_state_is_true(key: str) -> None:
    assert field(f"state.{key}")
