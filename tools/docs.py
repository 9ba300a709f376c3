"""Writes the generated pages: what settings there are, and what the shipped environments define.

`--check` writes nothing and exits 1 naming each file that is out of date.
"""

import sys
from pathlib import Path

import review_docs
import settings_docs

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Write all pages, or check them."""
    wanted = settings_docs.pages() | review_docs.pages()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run make docs", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
