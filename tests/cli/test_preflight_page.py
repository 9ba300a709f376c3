"""The reference of the checks names each of them, in the section of its group."""

import re
from pathlib import Path

from aks_kaito_cli.preflight import dns, hugging_face, names, offline, services, tools
from support.fake_azure import FakeAzure
from support.host_names import ZONED
from support.preflight_checks import context
from support.project import ROOT

SECTIONS = {"File": "The file"}
EVERYTHING = {
    **ZONED,
    "ingress": [*ZONED["ingress"], 'model_hostname = "model.kaito.dev"', 'model_basic_auth_secret_name = "people"'],
    "kaito": ['version = "0.12.0"'],
    "model": ['instance_type = "Standard_NC24ads_A100_v4"', 'standby_preset = "phi-4"'],
    "openai": ["enabled = true"],
    "openai.deployments.chat": ['model = "gpt-4o"', 'version = "2024-11-20"'],
    "postgresql": ["enabled = true"],
}


def test_the_page_has_each_check(tmp_path: Path) -> None:
    azure = FakeAzure()
    azure.endpoint = "http://127.0.0.1:9"
    read = context(tmp_path, azure, EVERYTHING, {"HF_TOKEN": "hf_x"})
    made = {(each.group, each.subject) for each in offline.findings(read.environment)}
    for module in (names, dns, services, hugging_face, tools):
        made |= {(each.group, each.subject) for each in module.checks(read)}
    page = (ROOT / "docs" / "reference" / "preflight.md").read_text(encoding="utf-8")
    written = set()
    for section in page.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        rows = re.findall(r"(?m)^\| (?!Check)([^|-][^|]*) \|", text)
        written |= {(title, check) for row in rows for check in row.split(", ")}
    assert {(SECTIONS.get(group, group), subject) for group, subject in made} == written
