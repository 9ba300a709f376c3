"""The Python end of jsii, made faster: the same messages with less work, and nothing imported that no call needs.

jsii converts each request and each response with cattrs, one attribute of each value after the other, and sends every
argument of a resource that is not set. `install` replaces the conversion of the usual requests, and leaves every other
one, callbacks and errors to jsii. `node.py` names the version of jsii with which this was compared.

See: https://github.com/aws/jsii/tree/main/packages/%40jsii/python-runtime/src/jsii
"""

# ruff: noqa: ANN401, SLF001 - values of any type, and jsii has no public way to its messages
# mypy: disable-error-code="assignment,method-assign,no-untyped-call"

import os
import re
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import jsii
from jsii import _kernel
from jsii._kernel import types
from jsii._kernel.providers import process

_PLAIN = frozenset({str, int, float, bool, type(None)})
# A reference to an attribute of a resource: the same for each reading, since the first one fixes the address. An
# argument, such as `nameInput`, can change.
_TOKEN = re.compile(r"\$\{TfToken\[TOKEN\.\d+\]\}")
_RESOURCE = re.compile(r"@cdktn/provider-.*")
_CHANGING = re.compile(r"fqn|.*Input")


def install() -> None:
    """Replace the parts of jsii, before anything imports `constructs`."""
    if isinstance(_kernel._make_reference_for_native, _References):
        return
    _kernel._make_reference_for_native = _References(_kernel._make_reference_for_native)
    attributes = _Attributes(jsii.get, jsii.set)
    jsii.get, jsii.set = attributes.get, attributes.set
    create = process._NodeProcess.__init__
    extract = process._NodeProcess._jsii_runtime

    def initialize(self: Any) -> None:
        create(self)
        self._serializer = _Serializer(self._serializer)

    def program(self: Any) -> str:
        # jsii also writes its own program to a temporary folder if another one is named.
        return os.environ.get("JSII_RUNTIME") or extract(self)

    process._NodeProcess.__init__ = initialize
    process._NodeProcess._jsii_runtime = program
    if not __debug__:
        # cdktn imports it, and with it asyncio and unittest, for checks that `python -O` leaves out.
        sys.modules.setdefault("typeguard", _Deferred("typeguard"))


class _Deferred(ModuleType):
    """A module that is imported when it is first used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


class _Attributes:
    """Reading of properties. References to attributes of resources are read once."""

    def __init__(self, get: Callable[[Any, str], Any], set_: Callable[[Any, str, Any], None]) -> None:
        self._get = get
        self._set = set_
        self._known: dict[str, dict[str, str]] = {}

    def get(self, instance: Any, name: str) -> Any:
        """Return the value of a property by its name in JavaScript."""
        ref = instance.__jsii_ref__.ref
        known = self._known.get(ref, {})
        if name in known:
            return known[name]
        value = self._get(instance, name)
        is_reference = type(value) is str and _TOKEN.fullmatch(value) and not _CHANGING.fullmatch(name)
        if is_reference and _RESOURCE.fullmatch(ref):
            self._known.setdefault(ref, {})[name] = value
        return value

    def set(self, instance: Any, name: str, value: Any) -> None:
        """Set a property, which can change the references: `for_each` does."""
        self._known.pop(instance.__jsii_ref__.ref, None)
        self._set(instance, name, value)


class _References:
    """Conversion of arguments to the values of a message."""

    def __init__(self, other: Callable[[Any, Any], Any]) -> None:
        self._other = other

    def __call__(self, kernel: Any, value: Any) -> Any:
        """Return the value of a message; jsii converts the objects, and whatever is not usual."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [self(kernel, each) for each in value]
        if kind is dict:
            return {"$jsii.map": {key: self(kernel, each) for key, each in value.items()}}
        names = getattr(kind, "__jsii_name_mapping__", None)
        arguments = getattr(value, "_values", None)
        if names and type(arguments) is dict and arguments.keys() <= names.keys():
            # Only those that are set: jsii sends null for the others, which JavaScript reads as not set.
            data = {names[key]: self(kernel, each) for key, each in arguments.items()}
            return {"$jsii.struct": {"fqn": kind.__jsii_type__, "data": data}}
        return self._other(kernel, value)


class _Serializer:
    """Conversion of the usual requests and responses; cattrs does the rest."""

    def __init__(self, converter: Any) -> None:
        self._converter = converter

    def unstructure(self, request: Any) -> Any:
        """Return a request as JSON has it. The arguments are converted already."""
        kind = type(request)
        if kind is types.GetRequest:
            return {"objref": _reference(request.objref), "property": request.property, "api": "get"}
        if kind is types.CreateRequest and not request.overrides:
            return {
                "fqn": request.fqn,
                "args": request.args,
                "overrides": [],
                "interfaces": request.interfaces,
                "api": "create",
            }
        return self._converter.unstructure(request)

    def structure(self, message: Any, kind: Any) -> Any:
        """Return a response, or a part of one, as an object."""
        if kind is process._ProcessResponse and message.keys() == {"ok"}:
            return process._OkayResponse(message["ok"])
        if kind is types.GetResponse and message.keys() == {"value"}:
            return types.GetResponse(message["value"])
        if kind is types.CreateResponse and type(message) is types.ObjRef:
            return types.CreateResponse(message.ref)  # without interfaces, as jsii
        return self._converter.structure(message, kind)


def _reference(objref: types.ObjRef) -> dict[str, Any]:
    if objref.interfaces:
        return {"$jsii.byref": objref.ref, "$jsii.interfaces": objref.interfaces}
    return {"$jsii.byref": objref.ref}
