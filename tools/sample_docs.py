"""Generator of the table of variables and of the command's output in docs/how-to/migrate-from-the-sample.md."""

import contextlib
import dataclasses
import io
import json
import tempfile
from pathlib import Path

from rich.console import Console

from aks_kaito_cli.importing import importer, report
from aks_kaito_cli.importing.variables import Variable, field, own_default, variables

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "migrate-from-the-sample.md"
# Values of the sample, some of which cannot carry over.
EXAMPLE = """
name_prefix              = "kaito"
kubernetes_version       = "1.29.2"
ssh_public_key           = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me"
network_plugin_mode      = "overlay"
system_node_pool_vm_size = "Standard_D4ads_v5"
user_node_pool_vm_size   = "Standard_D4ads_v5"
acr_name                 = "Registry"
sql_admin_password       = "never shown"
kaito_enabled            = true
"""
_COLUMNS = 110


def pages() -> dict[Path, str]:
    """Return the text of the page."""
    text = PAGE.read_text(encoding="utf-8")
    for name, content in (("output of import-tfvars", f"```text\n{_output()}\n```"), ("variables", table())):
        before, _, rest = text.partition(f"<!-- generated: {name} -->\n")
        _, _, after = rest.partition(f"<!-- end of {name} -->")
        text = f"{before}<!-- generated: {name} -->\n{content}\n<!-- end of {name} -->{after}"
    return {PAGE: text}


def _output() -> str:
    """Return the output for the example, without the notes, which depend on the date."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()) as printed:
        folder = Path(name) / "environments"
        folder.mkdir()
        source = folder.with_name("terraform.tfvars")
        source.write_text(EXAMPLE, encoding="utf-8")
        answer = importer.run(source, "imported", folder)
        findings = [each for each in answer.findings if each.group != "To note"]
        report.show(dataclasses.replace(answer, findings=findings), Console(highlight=False, width=_COLUMNS))
        lines = printed.getvalue().replace(f"{name}/", "").splitlines()
    return "\n".join(line.rstrip() for line in lines)


def table() -> str:
    """Return the table of variables."""
    lines = ["| Sample's variable | Key | Default | Difference |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_row(variable) for variable in variables().values())])


def _row(variable: Variable) -> str:
    key = f"`{variable.key}`" if variable.key else "—"
    return f"| `{variable.name}` | {key} | {_default(variable)} | {variable.difference} |"


def _default(variable: Variable) -> str:
    if not variable.key:
        return "—"
    if field(variable.key).is_required():
        return "required"
    value = own_default(variable.key)
    return "—" if value is None else f"`{json.dumps(value)}`"
