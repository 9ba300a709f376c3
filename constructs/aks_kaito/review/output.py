"""The output of a synthesis: the files that were written, or a summary of each environment as a table or as JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from aks_kaito.review.summary import summarize
from aks_kaito.settings import Environment

Form = Literal["paths", "table", "json"]


def show(environments: Sequence[Environment], written: Mapping[str, Sequence[Path]], form: Form) -> None:
    """Print the written files, by environment, in one of the forms.

    A table contains the warnings; the other forms leave standard output to programs and print them to standard error.
    """
    if form == "table":
        # Imported late: rich takes a while to import, and the CDK CLIs do not ask for tables.
        from aks_kaito.review import table  # noqa: PLC0415

        table.show([summarize(environment, written[environment.name]) for environment in environments])
        return
    for warning in (warning for environment in environments for warning in environment.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    if form == "json":
        summaries = [summarize(environment, written[environment.name]) for environment in environments]
        print(json.dumps([summary.as_json() for summary in summaries], indent=2))
    else:
        print(*(path for paths in written.values() for path in paths), sep="\n")
