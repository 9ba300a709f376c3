"""Values, schema, templates and README name the same keys; hostile values are refused by name or harmless."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from support.rendering import CASES, CHART, HELMS, RenderError, at, case, default, merged, one, render

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
TEMPLATES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((CHART / "templates").rglob("*.*")))
# Values of an earlier chart that `helm upgrade --reuse-values` passes on.
FORMER = {"networkPolicy.otlpNamespace", "networkPolicy.otlpPort"}
OPEN = {"template", "resources", "settings", "secrets", "vllm", "standby", "models"}


def paths(part: dict[str, Any], begin: str = "") -> Iterator[str]:
    """Return the dotted paths of all values in a schema."""
    for key, value in part["properties"].items():
        if "properties" in value and key not in OPEN:
            yield from paths(value, f"{begin}{key}.")
        else:
            yield begin + key


def leaves(values: dict[str, Any], begin: str = "") -> Iterator[str]:
    """Return the dotted paths of all values, as deep as the schema describes them."""
    for key, value in values.items():
        known = isinstance(value, dict) and value and f"{begin}{key}" not in set(paths(SCHEMA))
        if known:
            yield from leaves(value, f"{begin}{key}.")
        else:
            yield begin + key


def test_schema_and_values_name_the_same_keys() -> None:
    assert set(leaves(VALUES)) == set(paths(SCHEMA)) - {"global"} - FORMER


def test_templates_use_every_value_and_no_other() -> None:
    used = set(re.findall(r"\$?\.Values\.([A-Za-z.]+)", TEMPLATES))
    # Variables that templates assign a value to and read from.
    short = {
        "$chat": "chat",
        "$image": "chat.image",
        "$model": "model",
        "$policy": "networkPolicy",
        "$ingress": "ingress",
        "$routing": "routing",
        "$picker": "routing.picker",
        "$weights": "routing.picker.weights",
    }
    for name, path in short.items():
        used |= {f"{path}.{rest}" for rest in re.findall(rf"{re.escape(name)}\.([A-Za-z.]+)", TEMPLATES)}
    used |= {f"model.ingress.{rest}" for rest in re.findall(r"\$model\.([A-Za-z]+)", TEMPLATES)}
    unused = {path for path in paths(SCHEMA) if not any(path == each or path.startswith(f"{each}.") for each in used)}
    assert unused == {"global"}
    direct = set(re.findall(r"\$?\.Values\.([A-Za-z.]+)", TEMPLATES))
    known = set(paths(SCHEMA))
    assert {each for each in direct if not any(path == each or path.startswith(f"{each}.") for path in known)} <= {
        "chat.keyVault.secrets"
    }


def test_every_value_is_described() -> None:
    def missing(part: dict[str, Any], begin: str = "") -> Iterator[str]:
        for key, value in part["properties"].items():
            if "description" not in value:
                yield begin + key
            if "properties" in value and key not in OPEN:
                yield from missing(value, f"{begin}{key}.")

    assert list(missing(SCHEMA)) == []


def test_the_case_with_everything_sets_everything() -> None:
    everything = case("everything")
    missing = {path for path in paths(SCHEMA) if path not in set(leaves(everything))}
    assert {each for each in missing - FORMER if not each.startswith("routing.")} == {
        "global",
        "kaito.inferenceSets",  # of routing-values.yaml
        "chat.image.digest",  # instead of a tag
        "ingress.gateway.name",  # of another mode
        "ingress.gateway.namespace",
        "ingress.gateway.sectionName",
        "model.keyVaultSecret",  # instead of a Secret
        "model.kind",  # of switch-values.yaml
        "model.migProfile",  # of existing nodes
        "model.nodeCount",  # of a Workspace
        "model.standby",  # of switch-values.yaml
        "model.preferredNodes",  # of KAITO 0.6
        "model.template",  # instead of a preset
        "models",  # of models-values.yaml
    }


@pytest.mark.parametrize("name", CASES)
def test_the_cases_satisfy_the_schema(name: str) -> None:
    jsonschema.validate(merged(VALUES, case(name)), SCHEMA)


@pytest.mark.parametrize("helm", HELMS)
def test_without_an_image_the_key_and_the_command_are_named(helm: str) -> None:
    with pytest.raises(RenderError, match=r"(?s)chat.image.repository.*make image IMAGE=registry/kaito-chat:tag"):
        render({}, helm=helm)


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.presett", "phi-4"),
        ("model.preset", "phi-4\nlabels: {}"),
        ("model.preset", "x" * 300),
        ("model.instanceType", "Standard_NC24ads A100"),
        ("model.nodeCount", "two"),
        ("model.nodeCount", 0),
        ("model.replicas", 1.5),
        ("model.enabled", "yes"),
        ("model.runtime", "tgi"),
        ("model.kind", "Deployment"),
        ("model.standby", {"presett": "phi-4"}),
        ("model.standby", {"keep": True}),
        ("model.standby", {"nodeCount": 0}),
        ("model.allowInterruption", "yes"),
        ("model.nodeLabels", {"apps": "a b"}),
        ("model.adapters", [{"name": "x"}]),
        ("model.vllm", {"max-model-len": [1]}),
        ("chat.image.repository", "UPPER/case image"),
        ("chat.image.tag", 'v1"\nhostNetwork: true'),
        ("chat.image.digest", "sha256:abc"),
        ("chat.replicas", -1),
        ("chat.settings", {"KAITO_CHAT_TEMPERATUR": 1}),
        ("chat.settings", {"KAITO_CHAT_TEMPERATURE": "hot"}),
        ("chat.settings", {"KAITO_CHAT_AUTH_SECRET": "0123456789"}),
        ("chat.settings", {"KAITO_CHAT_DATABASE_URL": "postgresql://ada:secret@db/chat"}),
        ("chat.existingSecret", "Not A Name"),
        ("chat.models", [{"name": "x"}]),
        ("chat.models", [{"name": "x", "endpointUrl": "ftp://x"}]),
        ("chat.keyVault.enabled", True),
        ("chat.workloadIdentity.enabled", True),
        ("chat.podLabels", {"a": "b\nc: d"}),
        ("chat.drainSeconds", 0),
        ("ingress.mode", "ingress-nginx"),
        ("ingress.host", "chat.example.com/path"),
        ("ingress.host", "ü.example.com"),
        ("ingress.allowedCidrs", ["10.0.0.0/33"]),
        ("ingress.idleTimeoutSeconds", "3600s"),
        ("networkPolicy.podCidr", ""),
        ("monitoring.intervalSeconds", "30s"),
        ("test.enabled", 1),
    ],
)
def test_a_wrong_value_is_refused_by_name(path: str, value: object, helm: str) -> None:
    with pytest.raises(RenderError) as raised:
        render(default(at(path, value)), helm=helm)
    words = str(raised.value).replace("/", ".").replace("'.", "'")
    assert "values don't meet the specifications of the schema" in words
    assert path in words or path.rpartition(".")[0] in words, words


HOSTILE = [
    "quotes \" and ' and ` and \\",
    "line\nbreaks: {yaml: true}\n- x\n",
    "---\nkind: Secret",
    "{{ .Values.chat.image.repository }} $(whoami) ${HOME} %s",
    "ü 猫 🐈 \u202e",
    "x" * 300,
    "# no comment",
    "true",
    "0x1F",
    " space ",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_text_arrives_as_it_is(value: str) -> None:
    changes = default(
        at("chat.settings", {"KAITO_CHAT_SYSTEM_PROMPT": value}),
        at("chat.podAnnotations", {"example.com/note": value}),
        at("chat.models", [{"name": "other", "endpointUrl": "https://models.example.com", "systemPrompt": value}]),
        at("model.vllm", {"chat-template": value}),
        at("model.annotations", {"example.com/note": value}),
    )
    objects = render(changes)
    data = one(objects, "ConfigMap", "demo")["data"]
    assert data["KAITO_CHAT_SYSTEM_PROMPT"] == value
    assert json.loads(data["KAITO_CHAT_MODELS"])[1]["system_prompt"] == value
    assert one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]["example.com/note"] == value
    workspace = one(objects, "Workspace")
    assert workspace["metadata"]["annotations"]["example.com/note"] == value
    config = one(objects, "ConfigMap", workspace["inference"]["config"])
    assert yaml.safe_load(config["data"]["inference_config.yaml"])["vllm"]["chat-template"] == value
