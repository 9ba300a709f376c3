"""Write the generated files; with `--check`, write nothing, name each outdated file and exit with 1.

Every generator returns the text of its files, and only this module writes them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

# The docstrings below the fields of settings describe them. pydantic reads these only on request, since it parses the
# source of every model, which would slow each synthesis. Set it before the models are imported.
BaseModel.model_config["use_attribute_docstrings"] = True

import chart_docs  # noqa: E402  (see above)
import dashboards  # noqa: E402
import distribution_docs  # noqa: E402
import hosts_docs  # noqa: E402
import review_docs  # noqa: E402
import sample_docs  # noqa: E402
import settings_docs  # noqa: E402
import versions  # noqa: E402

ROOT = Path(__file__).parents[1]
CHAT_PYTHON = ROOT / ".venv-app" / "bin" / "python"


def main() -> int:
    """Write or compare all files."""
    wanted = pages()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run make docs", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def pages() -> dict[Path, str]:
    """Return the text of every generated file, and of every file with a copy of the version."""
    generators: tuple[Callable[[], dict[Path, str]], ...] = (
        settings_docs.pages,
        review_docs.pages,
        chart_docs.pages,
        dashboards.pages,
        hosts_docs.pages,
        distribution_docs.pages,
        sample_docs.pages,
        chat_pages,
    )
    return versions.applied({path: text for generate in generators for path, text in generate().items()})


def chat_pages() -> dict[Path, str]:
    """Return the page of the chat application's settings, whose models need the application's own dependencies."""
    if not CHAT_PYTHON.exists():
        raise SystemExit("tools/docs.py needs .venv-app: run make docs")
    command = [CHAT_PYTHON, ROOT / "tools" / "chat_docs.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "app")}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return {ROOT / path: text for path, text in json.loads(ran.stdout).items()}


if __name__ == "__main__":
    sys.exit(main())
