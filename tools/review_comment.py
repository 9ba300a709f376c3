"""Write the comment of a review to dist/review-comment.md: the semantic difference and its cost, since a revision.

    .venv/bin/python tools/review_comment.py REVISION

Fail if the difference cannot be made. The price list may be out of reach: then the comment says so instead of the cost.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUT = Path("dist", "review-comment.md")
# GitHub and GitLab accept 65,536 and 1,000,000 characters; post_comment.py adds some.
LIMIT = 50_000
_AKS_KAITO = (sys.executable, "-m", "aks_kaito_cli")


def main() -> None:
    """Write the comment."""
    if len(sys.argv) != 2:  # noqa: PLR2004
        raise SystemExit("usage: review_comment.py REVISION: set BASE=main")
    base = sys.argv[1]
    difference = run(["diff", "--base", base, "--markdown"])
    if difference.returncode:
        raise SystemExit(difference.stderr.strip())
    text = comment(difference.stdout, list(costs(base)), base)
    (ROOT / OUTPUT).parent.mkdir(exist_ok=True)
    (ROOT / OUTPUT).write_text(text, encoding="utf-8")
    print(text)


def costs(base: str) -> Iterator[str]:
    """Yield the Markdown of the cost of each environment's change, or the reason why there is none."""
    for path in sorted((ROOT / "environments").glob("*.toml")):
        ran = run(["cost", "--diff", base, "--format", "markdown", "--", path.stem])
        # Without prices, the Markdown gives the reason.
        yield ran.stdout.strip() or f"The cost of `{path.stem}` is unknown: {' '.join(ran.stderr.split())}"


def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a subcommand of aks-kaito."""
    return subprocess.run([*_AKS_KAITO, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def comment(difference: str, prices: Sequence[str], base: str) -> str:
    """Return the comment; the difference is cut if both are too long for a comment."""
    cost = _cut(_plain("\n\n".join(prices), base), LIMIT // 2)
    return f"{_cut(_plain(difference, base), LIMIT - len(cost))}\n\n{cost}\n"


def _plain(text: str, base: str) -> str:
    """Return a text without links, which the comment of a fork could not have, and with a short name of a commit."""
    text = re.sub(r"\[([^\[\]\n]+)\]\(https?://[^)\s]+\)", r"\1", text.strip())
    return text.replace(base, base[:10]) if re.fullmatch(r"[0-9a-f]{40}", base) else text


def _cut(text: str, limit: int) -> str:
    """Return a text of whole lines that is not longer than the limit, with its folded parts closed."""
    if len(text) <= limit:
        return text
    note = "\n\nThe rest is too long for a comment: run `make diff` and `make cost`."
    kept = text[: max(0, limit - len(note) - 200)].rpartition("\n")[0]
    opened = kept.count("<details>") - kept.count("</details>")
    return kept + "\n\n</details>" * opened + note


if __name__ == "__main__":
    main()
