"""Post the text of a review as one comment of its pull request, and update that comment later.

    python3 tools/post_comment.py FILE

The text was made by the pull request's own code, so it may be anything: it cannot mention, link or embed something, and
the comment says where it is from. The pull request is found by the trusted event (GITHUB_EVENT_PATH), not by the text.
Needs GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_EVENT_PATH, and no package but Python's own.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

MARKER = "<!-- aks-kaito: review -->"
LIMIT = 60_000
_AUTHOR = "github-actions[bot]"
_SECONDS = 30
# HTML that the reports consist of; everything else is text.
_TAGS = re.compile(r"<(?!/?(?:details|summary|code)>)", re.IGNORECASE)
_INVISIBLE = "\u200b"


class Api(NamedTuple):
    """GitHub's API of one repository."""

    address: str
    token: str

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Call the API and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        request = urllib.request.Request(f"{self.address}{path}", data, headers, method=method)  # noqa: S310 - GitHub's
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.URLError as error:
            raise SystemExit(f"{method} {path}: {error}") from None


def main() -> None:
    """Post the text of the run that the event names."""
    if len(sys.argv) != 2:  # noqa: PLR2004
        raise SystemExit("usage: post_comment.py FILE")
    path = Path(sys.argv[1])
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        server = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        api = Api(f"{server}/repos/{os.environ['GITHUB_REPOSITORY']}", os.environ["GITHUB_TOKEN"])
    except KeyError as missing:
        raise SystemExit(f"{missing.args[0]} is not set: this runs in a workflow") from None
    run = event["workflow_run"]
    number = pull_request(api, run)
    if number is None:
        print("no open pull request has this commit as its newest")
        return
    post(api, number, body(_read(path), run["html_url"]))


def _read(path: Path) -> str:
    """Return the beginning of a file, or nothing if it is none."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(2 * LIMIT)


def pull_request(api: Api, run: dict[str, Any]) -> int | None:
    """Return the number of the open pull request whose newest commit the run has looked at."""
    if not run["head_repository"]:  # a fork that was deleted
        return None
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    query = urllib.parse.urlencode({"state": "open", "head": head, "per_page": 100})
    for each in api.call("GET", f"/pulls?{query}"):
        if each["head"]["sha"] == run["head_sha"]:
            return int(each["number"])
    return None


def body(text: str, address: str) -> str:
    """Return the comment for a text, which is empty if the run made none."""
    shown = harmless(text)[:LIMIT] if text.strip() else "The difference could not be made: see the run's log."
    # The note comes first: a text could hide what follows it.
    note = f"<sub>Written by [the pull request's own code]({address}); read it as its author's text.</sub>"
    return f"{MARKER}\n{note}\n\n{shown}"


def harmless(text: str) -> str:
    """Return a text that mentions nobody, links and embeds nothing, and has no HTML but that of the reports."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text)
    text = _TAGS.sub(f"<{_INVISIBLE}", text)
    # An invisible character ends mentions, references, entities and links, in code and outside. It is put after each @,
    # not only before a name: a tag between both would vanish.
    for pattern in (r"(@)", r"(#)(?![#\s])", r"(?i)(gh-)(?=\d)", r"(/)(?=/)", r"(?i)(&)(?=[#a-z])"):
        text = re.sub(pattern, rf"\1{_INVISIBLE}", text)
    text = re.sub(r"(?i)\b(www|mailto|xmpp)(?=[.:])", rf"\1{_INVISIBLE}", text)
    # GitHub draws these languages instead of showing the code.
    text = re.sub(r"(?i)([`~]{3}[ \t]*)(?=(?:geojson|math|mermaid|stl|topojson)\b)", rf"\1{_INVISIBLE}", text)
    # Bots of a repository may obey lines such as /approve.
    text = re.sub(r"(?m)^(\s*)/", rf"\1{_INVISIBLE}/", text)
    return re.sub(r"\](?=\s*[(\[:])", f"]{_INVISIBLE}", text)


def post(api: Api, number: int, text: str) -> None:
    """Update our comment of a pull request, or post the first one."""
    page = 1
    while found := api.call("GET", f"/issues/{number}/comments?per_page=100&page={page}"):
        for each in found:
            if each["user"]["login"] == _AUTHOR and each["body"].startswith(MARKER):
                api.call("PATCH", f"/issues/comments/{each['id']}", {"body": text})
                print(f"updated the comment of #{number}")
                return
        page += 1
    api.call("POST", f"/issues/{number}/comments", {"body": text})
    print(f"posted a comment to #{number}")


if __name__ == "__main__":
    main()
