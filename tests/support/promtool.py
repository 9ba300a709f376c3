"""Genuine Prometheus's checks and unit tests of rules (promtool)."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from support.needs import needs_program

Groups = Sequence[Mapping[str, Any]]


class RuleError(AssertionError):
    """The output of promtool, which found an error."""


def check_rules(groups: Groups, folder: Path) -> None:
    """Check the syntax of rule groups, and refuse duplicates."""
    _promtool("check", "rules", "--lint=all", "--lint-fatal", str(_written(folder / "rules.yaml", {"groups": groups})))


def run_rules(groups: Groups, tests: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Run unit tests of rule groups.

    See: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
    """
    rules = _written(folder / "rules.yaml", {"groups": groups})
    content = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": list(tests)}
    _promtool("test", "rules", str(_written(folder / "tests.yaml", content)))


def _promtool(*arguments: str) -> None:
    command = [needs_program("promtool", "prometheus"), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if ran.returncode:
        raise RuleError(ran.stdout + ran.stderr)


def _written(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
