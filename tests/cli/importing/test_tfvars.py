"""Variable files: every form of a literal, and files that are none, with the line."""

import contextlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aks_kaito_cli.importing.tfvars import TfvarsError, read
from support.needs import needs_program


def values(folder: Path, text: str, name: str = "terraform.tfvars") -> dict[str, Any]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return {key: item.value for key, item in read(path).items()}


LITERALS: list[tuple[str, Any]] = [
    ('"text"', "text"),
    ('""', ""),
    ('"say \\"hi\\"\\n\\\\ \\u00e9"', 'say "hi"\n\\ é'),
    ('"costs $${5} and 100%%{x}"', "costs ${5} and 100%{x}"),
    ('"$5"', "$5"),
    ("7", 7),
    ("-3", -3),
    ("2.5", 2.5),
    ("1.5e3", 1500.0),
    ("true", True),
    ("null", None),
    ("(4)", 4),
    ("[]", []),
    ('["1", 2, true]', ["1", 2, True]),
    ('[\n  "a", # one\n  "b",\n]', ["a", "b"]),
    ("{}", {}),
    ('{ a = "b", "c d" = 1\n e: [2] }', {"a": "b", "c d": 1, "e": [2]}),
    ("{ in = 1, 5 = 2 }", {"in": 1, "5": 2}),
    ("<<EOT\n  one\ntwo\nEOT", "  one\ntwo\n"),
    ("<<-EOT\n    one\n      two\n  EOT", "one\n  two\n"),
    ('[{ name = "x", model = { name = "y" } }]', [{"name": "x", "model": {"name": "y"}}]),
]


@pytest.mark.parametrize(("text", "value"), LITERALS)
def test_a_literal_has_its_value(text: str, value: object, tmp_path: Path) -> None:
    assert values(tmp_path, f"a = {text}\nb = 1\n") == {"a": value, "b": 1}


def test_terraform_reads_the_same_values(tmp_path: Path) -> None:
    terraform = needs_program("terraform", "terraform")
    names = [f"a{number}" for number in range(len(LITERALS))]
    declared = "\n".join(f'variable "{name}" {{\n  type = any\n}}' for name in names)
    (tmp_path / "main.tf").write_text(declared, encoding="utf-8")
    text = "\n".join(f"{name} = {literal}" for name, (literal, _) in zip(names, LITERALS, strict=True))
    ours = values(tmp_path, f"{text}\n")
    asked = "jsonencode({" + ", ".join(f"{name} = var.{name}" for name in names) + "})"
    ran = subprocess.run(
        [terraform, "console"], cwd=tmp_path, input=asked, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(json.loads(ran.stdout)) == ours


@given(st.text(st.sampled_from("a \n=\"'{}[]()$%\\#/*<-:,.?E1é\x00"), max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(TfvarsError):
        values(Path(folder), text)


def test_comments_blank_lines_and_line_ends_of_windows_are_skipped(tmp_path: Path) -> None:
    text = '\ufeff# one\n// two\n/* three\n */\r\na   = "x" # four\r\n\r\nb = 2'
    assert values(tmp_path, text) == {"a": "x", "b": 2}
    assert values(tmp_path, "") == {}
    assert values(tmp_path, "# nothing\n") == {}


def test_json_is_read_from_a_file_with_its_ending(tmp_path: Path) -> None:
    assert values(tmp_path, '{"a": [1, null], "b": {"c": true}}', "x.tfvars.json") == {"a": [1, None], "b": {"c": True}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\nb = \n", "line 2, column 5: is not HCL"),
        ("a = 1\nb = [1,\n", "line 3, column 1: is not HCL"),
        ('a = "x', "line 1, column 6: is not HCL"),
        ("a = 1\n\nb == 2\n", "line 3, column 3: is not HCL"),
        ("just words\n", "line 2, column 1: is not HCL"),
        ("a = <<E\nno end\n", "line 1, column 5: is not HCL"),
        ("\x00", "line 1, column 1: is not HCL"),
        ("a = 1\na = 2\n", "line 2: a is set twice, first in line 1"),
        ("a = 1 b = 2\n", "line 1: b must begin on a line of its own"),
        ('variable "a" {\n}\n', "line 1: a file of variables has lines `name = value`, and no blocks"),
        ("a = 1\nb = var.a\n", "line 2: b: must be a literal value, not an expression"),
        ('a = 1\nb = [file("x")]\n', "line 2: b: must be a literal value"),
        ("a = 1 + 1\n", "line 1: a: must be a literal value"),
        ("a = !true\n", "line 1: a: must be a literal value"),
        ('a = "${var.b}"\n', "line 1: a: must not contain a template"),
        ('a = "%{ if true }x%{ endif }"\n', "line 1: a: must not contain a template"),
        ('a = "C:\\path"\n', "line 1: a: has a backslash that begins no escape sequence"),
        ("a = [for x in [1]: x]\n", "line 1: a: must be a literal value"),
        ("a = true ? 1 : 2\n", "line 1: a: must be a literal value"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(TfvarsError) as caught:
        values(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'terraform.tfvars'}: {words}")


def test_messages_do_not_repeat_the_text_of_the_file(tmp_path: Path) -> None:
    for text in ('password = "hunter2\n', 'password = upper("hunter2")\n', 'password = "hunter2" "hunter2"\n'):
        with pytest.raises(TfvarsError) as caught:
            values(tmp_path, text)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n  "a": 1,\n}', "line 3, column 1: is not JSON"),
        ("[1]", "must be a JSON object"),
        ("[" * 100_000, "is nested too deep"),
    ],
)
def test_broken_json_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(TfvarsError, match=words):
        values(tmp_path, text, "x.tfvars.json")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TfvarsError, match="cannot be read: No such file"):
        read(tmp_path / "none.tfvars")
    with pytest.raises(TfvarsError, match="cannot be read: Is a directory"):
        read(tmp_path)
    (tmp_path / "latin").write_bytes(b'a = "\xe9"\n')
    with pytest.raises(TfvarsError, match="must be UTF-8 text; byte 5 is not"):
        read(tmp_path / "latin")
