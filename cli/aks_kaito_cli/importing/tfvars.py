"""Reader of Terraform's variable files: HCL, or JSON in a file whose name ends in .json.

A variable file has literal values only, so the tree of python-hcl2 is evaluated here, and everything else is refused
with its line. Messages do not repeat the text of the file, which may be a secret.

See: https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import hcl2
from hcl2.rules.abstract import LarkElement
from hcl2.rules.base import AttributeRule
from hcl2.rules.containers import ObjectElemKeyExpressionRule, ObjectElemRule, ObjectRule, TupleRule
from hcl2.rules.expressions import ExprTermRule, UnaryOpRule
from hcl2.rules.literal_rules import FloatLitRule, IdentifierRule, IntLitRule, LiteralValueRule
from hcl2.rules.strings import HeredocTemplateRule, StringRule
from hcl2.rules.whitespace import NewLineOrCommentRule
from lark.exceptions import LarkError, UnexpectedInput

_VALUE = hcl2.SerializationOptions(strip_string_quotes=True, preserve_heredocs=False, with_comments=False)
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_ESCAPED_TEMPLATE = re.compile(r"([$%])\1\{")
_ESCAPE = re.compile(r'\\(?:[nrt"\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})')


class Assigned(NamedTuple):
    """The value of a variable, and its line; 0 in JSON."""

    value: Any
    line: int


class TfvarsError(Exception):
    """The file cannot be read as variables; the message names file and line."""


def read(path: Path) -> dict[str, Assigned]:
    """Return the variables of a file.

    Raises:
        TfvarsError: The file does not exist, or is no file of variables.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TfvarsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise TfvarsError(f"{path}: must be UTF-8 text; byte {error.start} is not") from None
    return _from_json(path, text) if path.suffix == ".json" else _from_hcl(path, text)


def _from_json(path: Path, text: str) -> dict[str, Assigned]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise TfvarsError(f"{path}: line {error.lineno}, column {error.colno}: is not JSON: {error.msg}") from None
    except RecursionError:
        raise TfvarsError(f"{path}: is nested too deep") from None
    if not isinstance(found, dict):
        raise TfvarsError(f"{path}: must be a JSON object of variables and values")
    return {str(name): Assigned(value, 0) for name, value in found.items()}


def _from_hcl(path: Path, text: str) -> dict[str, Assigned]:
    try:
        children = hcl2.parses(text).body.children
    except UnexpectedInput as error:
        end = text.count("\n") + 1
        line = error.line if 0 < error.line <= end else end
        at = f"line {line}, column {error.column}" if error.column > 0 else f"line {line}"
        raise TfvarsError(f"{path}: {at}: is not HCL: expected something else here") from None
    except (LarkError, RecursionError, RuntimeError, ValueError) as error:
        raise TfvarsError(f"{path}: is not HCL ({type(error).__name__})") from None
    found: dict[str, Assigned] = {}
    lines: set[int] = set()
    for child in children:
        if not isinstance(child, NewLineOrCommentRule):
            line = _line(child)
            name = _name(child, path, found)
            if line in lines:
                raise TfvarsError(f"{path}: line {line}: {name} must begin on a line of its own")
            try:
                found[name] = Assigned(_evaluated(child.expression), line)
            except ValueError as error:
                raise TfvarsError(f"{path}: line {line}: {name}: {error}") from None
            lines.add(line)
    return found


def _name(child: LarkElement, path: Path, found: Mapping[str, Assigned]) -> str:
    """Return the name of a new variable.

    Raises:
        TfvarsError: It is a block, or the variable has a value already.
    """
    if not isinstance(child, AttributeRule):
        raise TfvarsError(f"{path}: line {_line(child)}: a file of variables has lines `name = value`, and no blocks")
    name = str(child.identifier.serialize())
    if name in found:
        raise TfvarsError(f"{path}: line {_line(child)}: {name} is set twice, first in line {found[name].line}")
    return name


def _line(element: LarkElement) -> int:
    return int(getattr(getattr(element, "_meta", None), "line", 0) or 0)


def _evaluated(element: Any) -> Any:  # noqa: ANN401 - a tree of a library, and a value of any type
    """Return the value of a literal.

    Raises:
        ValueError: It is no literal.
    """
    for kinds, evaluate in _EVALUATORS:
        if isinstance(element, kinds):
            return evaluate(element)
    raise ValueError("must be a literal value, not an expression: Terraform refuses it in a file of variables")


def _term(term: ExprTermRule) -> Any:  # noqa: ANN401
    return _evaluated(term.expression)


def _negative(operation: UnaryOpRule) -> Any:  # noqa: ANN401
    value = _evaluated(operation.expr_term)
    if operation.operator != "-" or isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a literal value")
    return -value


def _number(literal: FloatLitRule) -> float:
    return float(str(literal.token.value))


def _string(rule: StringRule) -> str:
    raw = "".join(str(part.serialize()) for part in rule.string_parts)
    if "\\" in _ESCAPE.sub("", raw):
        raise ValueError("has a backslash that begins no escape sequence; write \\\\")
    return _literal(str(rule.serialize(options=_VALUE)))


def _heredoc(rule: HeredocTemplateRule) -> str:
    # Terraform's value of a heredoc ends with the newline before the marker.
    return _literal(f"{rule.serialize(options=_VALUE)}\n")


def _literal(text: str) -> str:
    if _TEMPLATE.search(text):
        raise ValueError("must not contain a template (${ or %{)")
    return _ESCAPED_TEMPLATE.sub(r"\1{", text)


def _mapping(rule: ObjectRule) -> dict[str, Any]:
    return {_key(element): _evaluated(element.expression) for element in rule.elements}


def _key(element: ObjectElemRule) -> str:
    """Return an element's key: a name, a string or a number."""
    rule = element.key
    inner = rule.expression if isinstance(rule, ObjectElemKeyExpressionRule) else rule.value
    inner = inner.expression if isinstance(inner, ExprTermRule) else inner
    return str(inner.serialize()) if isinstance(inner, IdentifierRule) else str(_evaluated(inner))


def _items(rule: TupleRule) -> list[Any]:
    return [_evaluated(element) for element in rule.elements]


_EVALUATORS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (ExprTermRule, _term),
    (UnaryOpRule, _negative),
    (StringRule, _string),
    (HeredocTemplateRule, _heredoc),
    (TupleRule, _items),
    (ObjectRule, _mapping),
    (FloatLitRule, _number),
    ((IntLitRule, LiteralValueRule), lambda rule: rule.serialize()),
)
