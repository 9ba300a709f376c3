"""Values, schema, templates and README name the same keys; hostile values are refused by name, or are harmless."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from chart.rendering import CASES, CHART, HELMS, IMAGE, RenderError, at, case, default, merged, one, render
from chart.validation import check_core, check_custom

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
TEMPLATES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((CHART / "templates").rglob("*.*")))
OPEN = {"template", "resources", "settings", "secrets", "vllm"}


def paths(part: dict[str, Any], begin: str = "") -> Iterator[str]:
    """The dotted paths of all values that a schema names."""
    for key, value in part["properties"].items():
        if "properties" in value and key not in OPEN:
            yield from paths(value, f"{begin}{key}.")
        else:
            yield begin + key


def leaves(values: dict[str, Any], begin: str = "") -> Iterator[str]:
    """The dotted paths of all values, as deep as the schema names them."""
    for key, value in values.items():
        known = isinstance(value, dict) and value and f"{begin}{key}" not in set(paths(SCHEMA))
        if known:
            yield from leaves(value, f"{begin}{key}.")
        else:
            yield begin + key


def test_schema_and_values_name_the_same_keys() -> None:
    assert set(leaves(VALUES)) == set(paths(SCHEMA)) - {"global"}


def test_templates_use_every_value_and_no_other() -> None:
    used = set(re.findall(r"\$?\.Values\.([A-Za-z.]+)", TEMPLATES))
    # What a template gives a short name and uses from there.
    short = {
        "$chat": "chat",
        "$image": "chat.image",
        "$model": "model",
        "$policy": "networkPolicy",
        "$ingress": "ingress",
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
    assert missing == {
        "global",
        "chat.image.digest",  # instead of a tag
        "ingress.gateway.name",  # of another mode
        "ingress.gateway.namespace",
        "ingress.gateway.sectionName",
        "model.nodeCount",  # of a Workspace
        "model.template",  # instead of a preset
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


def made_up(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a part of our schema allows: what it uses of JSON Schema, and no more."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if isinstance(kind, list):
        return st.one_of(*(made_up(schema | {"type": each}) for each in kind))
    return MAKERS[kind](schema)


def made_up_object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Required keys, and some of the others."""
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        keys = made_up({"type": "string"} | schema.get("propertyNames", {}))
        return st.dictionaries(keys, made_up(values), max_size=3) if isinstance(values, dict) else st.just({})
    parts = {key: made_up(value) for key, value in schema["properties"].items() if key not in THEIRS}
    needed = {key: value for key, value in parts.items() if key in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional={key: parts[key] for key in parts if key not in needed})


def made_up_text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Printable text, of the pattern's form if there is one."""
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    if "pattern" in schema:
        text = st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        return text.filter(lambda each: least <= len(each) <= most and "\n" not in each)
    printable = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
    return st.text(printable, min_size=least, max_size=min(most, 40))


# Whole numbers and others within their bounds; without, what fits everything that a chart counts.
MAKERS: dict[str, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "integer": lambda schema: st.integers(schema.get("minimum", 0), schema.get("maximum", 10**6)),
    "number": lambda schema: st.integers(1, int(schema.get("maximum", 1000) * 100)).map(
        lambda hundredths: hundredths / 100
    ),
    "string": made_up_text,
    "array": lambda schema: st.lists(made_up(schema["items"]), min_size=schema.get("minItems", 0), max_size=3),
    "object": made_up_object,
}
# Parts whose schema is Kubernetes's own, and the image, which every release has.
THEIRS = {"affinity", "extraEgress", "extraIngress", "global", "image", "resources", "template", "tolerations"}
OUR_WORDS = re.compile(r"execution error at \(kaito-chat/templates/[^)]*\): [A-Za-z][A-Za-z_.]+")


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(values=made_up(SCHEMA))
def test_what_the_schema_allows_makes_valid_objects_or_is_refused_in_our_words(values: dict[str, Any]) -> None:
    values = merged(values, {"chat": {"image": IMAGE}})
    assume(jsonschema.Draft7Validator(SCHEMA).is_valid(merged(VALUES, values)))
    refused = None
    try:
        objects = render(values)
    except RenderError as error:
        refused = str(error)
    if refused:
        event("refused")
        assert OUR_WORDS.search(refused), refused
    else:
        event("rendered")
        check_core(objects, "1.37")
        check_custom(objects)
