"""The generated pages are current; commands, links and settings keys on the other pages are correct."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from aks_kaito.settings import Environment
from aks_kaito_cli.importing.variables import field, variables
from support.needs import needs_make, needs_path
from support.pages import COMMANDED, GUIDES, LANGUAGES, PAGES, TEXTS, blocks, languages, says_what_no_test_runs
from support.project import ENVIRONMENTS, ROOT

SCHEMA = json.loads((ROOT / "environments" / "settings.schema.json").read_text(encoding="utf-8"))
ROWS = re.findall(
    r"^\| `(\w+)` \| (\S+) \| (.+?) \| (.*?) ?\|$",
    (ROOT / "docs" / "how-to" / "migrate-from-the-sample.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
GUIDE = "\n".join(GUIDES.values())
# Tests run these programs, or stand-ins for them, with the options on the pages.
TESTED = {".venv/bin/aks-kaito", "cdktn", "export", "make", "mkdir", "mv", "terraform", "pg_dump", "pg_restore", "psql"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
# A page or a folder of pages that code, a message or a comment names.
NAMED = re.compile(r"(?<![-\w/])docs/[-\w/]*\w(?:\.md\b)?")


def commands() -> list[str]:
    """Return all lines of commands of the guides."""
    return [line for text in GUIDES.values() for _, block in blocks(text) for line in block.splitlines()]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def is_chart_value(key: str) -> bool:
    """Return whether the dotted key is a value of the chat's chart."""
    schema = json.loads((ROOT / "charts" / "kaito-chat" / "values.schema.json").read_text(encoding="utf-8"))
    for part in key.split("."):
        schema = schema.get("properties", {}).get(part)
        if schema is None:
            return False
    return True


def test_generated_files_are_current() -> None:
    needs_path(ROOT / ".venv-app", ".venv-app (make test installs it)")
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


def test_the_migration_table_is_that_of_the_import() -> None:
    assert [(name, key.strip("`—")) for name, key, _, _ in ROWS] == [
        (each.name, each.key) for each in variables().values()
    ]
    assert len(ROWS) == 150
    for name, key, default, reason in ROWS:
        assert (default == "—" and reason) if key == "—" else default, name


def test_links_lead_to_pages_and_headings() -> None:
    wrong = []
    for path, text in TEXTS.items():
        for link in LINK.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
                wrong.append(f"{path.relative_to(ROOT)}: {link}")
    assert wrong == []


def test_every_page_and_picture_is_linked_from_another() -> None:
    linked = {
        (path.parent / link.partition("#")[0]).resolve() for path, text in TEXTS.items() for link in LINK.findall(text)
    }
    assert [str(path) for path in (ROOT / "docs").rglob("*.*") if path not in linked] == []


def test_pages_that_code_names_exist() -> None:
    folders = ("app", "benchmarks", "charts", "cli", "constructs", "environments", "tests", "tools")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.*") if "node_modules" not in path.parts]
    for path in [*files, ROOT / "Makefile"]:
        if path.name == "Makefile" or path.suffix in (".py", ".sh", ".toml", ".yaml"):
            for name in NAMED.findall(path.read_text(encoding="utf-8")):
                assert (ROOT / name).exists(), f"{path.relative_to(ROOT)}: {name}"


@pytest.mark.parametrize("page", COMMANDED)
def test_commands_that_no_test_runs_say_so(page: str) -> None:
    assert says_what_no_test_runs(COMMANDED[page], TESTED)


def test_no_block_of_commands_has_another_language() -> None:
    for path, text in TEXTS.items():
        assert set(languages(text)) <= LANGUAGES, path
    assert languages("```bash\nls\n```\n\n   ```\n   ls\n   ```\n") == ["bash", ""]


def test_variables_of_make_on_the_pages_exist() -> None:
    defined = set(
        re.findall(
            r"^(?:override )?([A-Z_]+) (?:\?|:)?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    lines = [line for text in TEXTS.values() for _, block in blocks(text) for line in block.splitlines()]
    for line in lines:
        if line.startswith("make "):
            assert set(re.findall(r" ([A-Z_]+)=", line)) <= defined, line
            # A deployment needs both.
            assert not line.startswith("make deploy") or re.search(r"ENV=\w+ TAG=\S+", line), line


def test_pages_with_commands_for_azure_say_so_at_their_top() -> None:
    for page, text in GUIDES.items():
        lines = [line for _, block in blocks(text) for line in block.splitlines()]
        if any(re.match(r"(az|cdktn|kubectl|make (deploy|destroy|release))\b", line) for line in lines):
            (opening,) = re.findall(r"\A# [^\n]+\n\n(.+?)\n\n", text, re.DOTALL)
            assert re.search(r"need an? (Azure subscription|deployed cluster)", opening), page


def test_the_synthesis_of_the_guides_runs() -> None:
    assert {line for line in commands() if line.startswith("make synth")} == {"make synth ENV=dev"}
    command = [*needs_make(), "synth", "ENV=dev"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr


def test_the_readme_is_short_and_its_commands_are_run_or_say_what_they_need() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    parts = re.split(r"^```console\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    shown = {block.strip(): below.strip() for block, below in zip(parts[1::2], parts[2::2], strict=True)}
    # Tests or the CI run these.
    runs = {"make synth", "make test", "make chat", "make demo"}
    for command in shown.keys() - runs:
        assert re.match(r"This needs an? (Azure subscription|cluster)\b", shown[command]), command
    assert runs < shown.keys()


def test_nobody_is_told_to_deploy_every_environment() -> None:
    code = (path for folder in ("cli", "tools") for path in (ROOT / folder).rglob("*.py"))
    for page in [*PAGES, *code, ROOT / "Makefile"]:
        assert not re.search(r"""(deploy|destroy) ['"]?\*""", page.read_text(encoding="utf-8")), page


def test_targets_of_make_on_the_pages_exist() -> None:
    used = {line.split()[1] for line in commands() if line.startswith("make ")}
    assert used >= {"chat", "deploy", "destroy", "diff", "image", "release", "synth"}
    used |= set(re.findall(r"`make ([a-z-]+)", "\n".join(TEXTS.values())))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert used <= set(targets)


def test_the_guides_name_groups_and_clusters_correctly(environments: dict[str, Environment]) -> None:
    found = set(re.findall(r"az aks \S+(?: \S+)? --resource-group (rg-kaito\S+) --name (\S+)", GUIDE))
    names = [environments[each].names for each in ("dev", "prod")]
    assert found == {(each.resource_group, each.cluster) for each in names}


# Keys of settings and values, not names of files.
KEYS = {
    key
    for page, text in GUIDES.items()
    if "migrate" not in page and "upgrade" not in page
    for key in re.findall(r"`((?:[a-z_]+\.)+\w+)(?: = [^`]*)?`", text)
    if key.rpartition(".")[2] not in ("dump", "json", "out", "safetensors", "yaml")
}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_the_guides_name_keys_that_exist(key: str) -> None:
    assert is_chart_value(key) or field(key)


@pytest.mark.parametrize("key", sorted(set(re.findall(r"^(\w+) = ", GUIDES["how-to/share-state.md"], re.MULTILINE))))
def test_the_example_of_a_state_is_true(key: str) -> None:
    assert field(f"state.{key}")
