"""Values that the schema allows render to valid objects, or the chart refuses them by name."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import yaml
from hypothesis import HealthCheck, Phase, assume, event, example, given, settings
from hypothesis import strategies as st

from support.rendering import CHART, IMAGE, RenderError, merged, render
from support.validation import check_core, check_custom

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def made_up(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for a part of the schema; supports the JSON Schema keywords that it uses."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if isinstance(kind, list):
        return st.one_of(*(made_up(schema | {"type": each}) for each in kind))
    return MAKERS[kind](schema)


def made_up_object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for required and some optional keys."""
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        keys = made_up({"type": "string"} | schema.get("propertyNames", {}))
        return st.dictionaries(keys, made_up(values), max_size=3) if isinstance(values, dict) else st.just({})
    parts = {key: made_up(value) for key, value in schema["properties"].items() if key not in THEIRS}
    needed = {key: value for key, value in parts.items() if key in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional={key: parts[key] for key in parts if key not in needed})


def made_up_text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Return a strategy for printable text that matches the pattern, if any."""
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    if "pattern" in schema:
        text = st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        return text.filter(lambda each: least <= len(each) <= most and "\n" not in each)
    printable = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
    return st.text(printable, min_size=least, max_size=min(most, 40))


# Numbers within their bounds; without bounds, a range that suits all numbers of the chart.
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
# Parts with Kubernetes's own schema, and the image, which every release sets.
THEIRS = {"affinity", "extraEgress", "extraIngress", "global", "image", "resources", "template", "tolerations"}
OUR_WORDS = re.compile(r"execution error at \(kaito-chat/templates/[^)]*\): [A-Za-z][A-Za-z_.]+")


# A failing example is not made smaller, which would take minutes of renderings.
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
@example(values={"monitoring": {"runbooksUrl": "http://0/\x7f"}})
@example(values={"model": {"instanceType": "", "migProfile": "1g.0gb"}})
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
        check_custom(objects, of_one_version=True)
