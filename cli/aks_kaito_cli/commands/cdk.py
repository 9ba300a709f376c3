"""Command lines of the CDK's CLI, cdktn or cdktf."""

from typing import Literal

from aks_kaito_cli.commands import Command


def command(program: Command, action: Literal["deploy", "destroy"], stack: str) -> Command:
    """Deploy or destroy one stack without its dependencies: the driver keeps the order, the image comes in between."""
    return (*program, action, stack, "--auto-approve", "--ignore-missing-stack-dependencies")


def plan(program: Command, stack: str) -> Command:
    """Plan one stack, and change nothing."""
    return (*program, "diff", stack)
