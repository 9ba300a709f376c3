"""The faster Python end of jsii: its messages are those of jsii, without the arguments that are not set."""

# ruff: noqa: SLF001 - jsii has no public way to its messages

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsii
import pytest
from cdktn import AnnotationMetadataEntryType as Kind
from cdktn import (
    App,
    TerraformIterator,
    TerraformOutput,
    TerraformOutputConfig,
    TerraformResourceLifecycle,
    TerraformStack,
    TerraformVariable,
    TerraformVariableConfig,
)
from cdktn import Testing as CdkTesting
from cdktn_provider_helm.release import Release
from jsii import _kernel
from jsii._kernel import types
from jsii._kernel.providers import process

from aks_kaito import jsii_client


class Text(str):
    """A string of another class."""

    __slots__ = ()


@pytest.fixture(scope="module")
def jsiis() -> Iterator[Any]:
    """Return jsii's own conversion of arguments, also where it converts the parts of a value."""
    ours = _kernel._make_reference_for_native
    own = ours._other if isinstance(ours, jsii_client._References) else ours
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_kernel, "_make_reference_for_native", own)
        yield own


def plain(value: Any) -> Any:
    """Return a value as it is on the wire, less everything that is null in a struct."""

    def less(value: Any) -> Any:
        if isinstance(value, list):
            return [less(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"$jsii.struct"}:
            struct = value["$jsii.struct"]
            data = {key: less(each) for key, each in struct["data"].items() if each is not None}
            return {"$jsii.struct": {**struct, "data": data}}
        return {key: less(each) for key, each in value.items()}

    return less(json.loads(json.dumps(value, default=process.jdefault)))


def values() -> list[Any]:
    """Return arguments of every kind."""
    app = App(outdir="out")
    lifecycle = TerraformResourceLifecycle(ignore_changes=["input"], prevent_destroy=False)
    return [
        *(None, True, False, 0, 1.5, "", "text", Text("text"), [], {}),
        [None, {"key": None, "other": [1, [2, {"deep": "3"}]]}],
        [app, {"app": app}, {"kind": Kind.INFO}],
        datetime.now(UTC),
        lifecycle,
        {"lifecycle": [lifecycle], "null": None},
        TerraformResourceLifecycle(),
        TerraformVariableConfig(default={"a": None}, nullable=False, type="string"),
        TerraformOutputConfig(value={"a": [None, app]}, depends_on=[TerraformStack(app, "stack")]),
    ]


def test_arguments_are_jsiis_without_those_that_are_not_set(jsiis: Any) -> None:
    convert = jsii_client._References(jsiis)
    for value in values():
        ours = json.loads(json.dumps(convert(jsii.kernel, value), default=process.jdefault))
        assert ours == plain(jsiis(jsii.kernel, value)), value
    data = convert(jsii.kernel, TerraformResourceLifecycle(prevent_destroy=False))["$jsii.struct"]["data"]
    assert data == {"preventDestroy": False}


def test_a_struct_with_other_arguments_than_its_type_names_is_jsiis(jsiis: Any) -> None:
    lifecycle = TerraformResourceLifecycle(prevent_destroy=True)
    lifecycle._values["unknown"] = 1
    ours = jsii_client._References(jsiis)(jsii.kernel, lifecycle)
    assert ours == jsiis(jsii.kernel, lifecycle)
    assert "unknown" not in ours["$jsii.struct"]["data"]


def test_a_function_is_refused_as_by_jsii(jsiis: Any) -> None:
    with pytest.raises(jsii.errors.JSIIError, match="Cannot pass function"):
        jsii_client._References(jsiis)(jsii.kernel, [print])


OBJECT = types.ObjRef("cdktn.App@10000")
OF_INTERFACES = types.ObjRef("Object@10001", ["cdktn.IAspect"])
REQUESTS = [
    types.LoadRequest("name", "1.0.0", "name.tgz"),
    types.CreateRequest("cdktn.App", [{"$jsii.map": {"a": [1]}}, "text", None], [], ["cdktn.IAspect"]),
    types.CreateRequest("Object", [], [types.Override(method="visit", cookie="visit")], []),
    types.GetRequest(OBJECT, "outdir"),
    types.GetRequest(OF_INTERFACES, "outdir"),
    types.StaticGetRequest("cdktn.Token", "x"),
    types.SetRequest(OBJECT, "outdir", "x"),
    types.InvokeRequest(OBJECT, "synth", [1]),
    types.StaticInvokeRequest("cdktn.Fn", "join", [","]),
    types.CompleteRequest("callback", None, {"a": 1}),
    types.StatsRequest(),
]


@pytest.fixture
def converter() -> Any:
    """Return jsii's own converter of messages."""
    App(outdir="out")
    kernel: Any = jsii.kernel
    found = kernel.provider._process._serializer
    return found._converter if isinstance(found, jsii_client._Serializer) else found


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_requests_are_the_same_to_the_byte(converter: Any, request_: Any) -> None:
    ours = jsii_client._Serializer(converter).unstructure(copy.deepcopy(request_))
    assert json.dumps(ours) == json.dumps(converter.unstructure(request_))


RESPONSE = process._ProcessResponse
RESPONSES: list[tuple[Any, Any]] = [
    ({"ok": {"value": "text"}}, RESPONSE),
    ({"ok": OBJECT}, RESPONSE),
    ({"ok": {}}, RESPONSE),
    ({"error": "wrong", "stack": "at x", "name": "Fault"}, RESPONSE),
    ({"callback": {"cbid": "1", "cookie": "visit", "invoke": {"objref": OBJECT, "method": "visit"}}}, RESPONSE),
    ({"value": "text"}, types.GetResponse),
    ({"value": None}, types.GetResponse),
    ({"value": OBJECT}, types.GetResponse),
    ({"value": {"a": [OBJECT]}}, types.GetResponse),
    ({}, types.GetResponse),
    (OBJECT, types.CreateResponse),
    (OF_INTERFACES, types.CreateResponse),
    ({"result": [1]}, types.InvokeResponse),
    ({}, types.InvokeResponse),
    ({"assembly": "x", "types": 1}, types.LoadResponse),
]


@pytest.mark.parametrize(("message", "kind"), RESPONSES, ids=lambda value: str(value)[:40])
def test_responses_are_the_same_objects(converter: Any, message: Any, kind: Any) -> None:
    ours = jsii_client._Serializer(converter).structure(copy.deepcopy(message), kind)
    theirs = converter.structure(message, kind)
    assert ours == theirs
    assert type(ours) is type(theirs)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Read properties through a new memory of references; return the names that JavaScript is asked for."""
    asked: list[str] = []

    def read(instance: Any, name: str) -> Any:
        asked.append(name)
        return jsii.kernel.get(instance, name)

    attributes = jsii_client._Attributes(read, jsii.kernel.set)
    monkeypatch.setattr(jsii, "get", attributes.get)
    monkeypatch.setattr(jsii, "set", attributes.set)
    return asked


def test_a_reference_is_read_once_for_each_resource(reads: list[str]) -> None:
    stack = TerraformStack(App(outdir="out"), "stack")
    one, other = (Release(stack, name, name=name, chart="chart") for name in ("one", "other"))
    assert one.id == one.id
    assert one.status == one.status
    assert other.id != one.id
    assert reads == ["id", "status", "id"]
    TerraformOutput(stack, "output", value=[one.id, other.id])
    output = json.loads(CdkTesting.synth(stack))["output"]["output"]
    assert output["value"] == ["${helm_release.one.id}", "${helm_release.other.id}"]


def test_a_change_of_a_resource_changes_references_that_are_read_later(reads: list[str]) -> None:
    stack = TerraformStack(App(outdir="out"), "stack")
    release = Release(stack, "release", name="a", chart="chart")
    before = release.id
    release.for_each = TerraformIterator.from_list(["a", "b"])
    TerraformOutput(stack, "output", value=[before, release.id, release.id])
    output = json.loads(CdkTesting.synth(stack))["output"]["output"]
    assert output["value"] == ["${helm_release.release.id}", *["${helm_release.release.*.id}"] * 2]
    assert reads == ["id", "id"]


def test_properties_that_can_change_are_read_each_time(reads: list[str]) -> None:
    stack = TerraformStack(App(outdir="out"), "stack")
    first, second = (TerraformVariable(stack, name, type="string").string_value for name in ("first", "second"))
    release = Release(stack, "release", name=first, chart="chart")
    assert release.name_input == first
    release.name = second
    assert release.name_input == second
    assert release.fqn == release.fqn
    assert release.depends_on == release.depends_on
    assert reads == ["stringValue", "stringValue", "nameInput", "nameInput", "fqn", "fqn", "dependsOn", "dependsOn"]


PROGRAM = """
import sys
from aks_kaito import node
node.select()
assert node.is_selected()
from aks_kaito import jsii_client
jsii_client.install()
jsii_client.install()
import jsii
from jsii import _kernel
from cdktn import App, Aspects, IAspect, TerraformElement, TerraformStack, TerraformVariable
assert not isinstance(_kernel._make_reference_for_native._other, jsii_client._References)
assert type(jsii.kernel.provider._process._serializer) is jsii_client._Serializer
"""


def run(folder: Path, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run code after an installation, in a process of its own whose temporary files are in a folder."""
    temporary = folder / "temporary"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JSII_RUNTIME", "JSII_PROGRAM", "JSII_NODE", "JSII_DEBUG", "NODE_OPTIONS", "AKS_KAITO_EAGER"):
            patch.delenv(name, raising=False)
        patch.setenv("TMPDIR", str(temporary))
        return subprocess.run(
            [sys.executable, *options, "-c", PROGRAM + code],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def test_objects_of_python_are_called_back(tmp_path: Path) -> None:
    code = """
@jsii.implements(IAspect)
class Visits:
    def visit(self, node):
        print(node.node.path, TerraformElement.is_terraform_element(node))
app = App(outdir="out")
stack = TerraformStack(app, "stack")
TerraformVariable(stack, "first", type="string")
Aspects.of(stack).add(Visits())
app.synth()
"""
    ran = run(tmp_path, code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "stack False\nstack/first True\nstack/backend True\n", "")


def test_an_error_of_javascript_is_the_one_of_jsii(tmp_path: Path) -> None:
    ran = run(tmp_path, "TerraformStack(App(outdir='out'), 'two words')")
    assert ran.returncode == 1
    assert "RuntimeError: " in ran.stderr
    assert "two words" in ran.stderr
    assert "jsii.errors.JavaScriptError" in ran.stderr


def test_jsiis_own_program_is_not_written(tmp_path: Path) -> None:
    ran = run(tmp_path, "import os, tempfile\nprint([n for n in os.listdir(tempfile.gettempdir()) if 'jsii' not in n])")
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


TYPEGUARD = """
print("asyncio" in sys.modules)
import typeguard
print(typeguard.check_type.__module__, "asyncio" in sys.modules)
"""


def test_without_checks_their_package_is_imported_when_it_is_used(tmp_path: Path) -> None:
    ran = run(tmp_path, TYPEGUARD, "-O")
    assert (ran.stdout, ran.stderr) == ("False\ntypeguard True\n", "")


def test_with_checks_a_wrong_argument_is_refused_in_python(tmp_path: Path) -> None:
    ran = run(tmp_path, "TerraformVariable(TerraformStack(App(outdir='out'), 'stack'), 'first', type=1)")
    assert ran.returncode == 1
    assert "TypeError: type of argument type must be" in ran.stderr
