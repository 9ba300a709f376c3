"""The comment of a review: one, updated in place, with a text that can do nothing."""

import html
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

import post_comment
from support.loopback import serving

RUN = {
    "head_branch": "topic/a&b",
    "head_repository": {"owner": {"login": "someone"}},
    "head_sha": "c" * 40,
    "html_url": "https://github.com/team/project/actions/runs/7",
}
OURS = {"id": 5, "user": {"login": "github-actions[bot]"}, "body": f"{post_comment.MARKER}\nold"}
# Somebody may copy the marker, and another workflow comments too.
OTHERS = [
    {"id": 3, "user": {"login": "someone"}, "body": post_comment.MARKER},
    {"id": 4, "user": {"login": "github-actions[bot]"}, "body": "another workflow"},
]


class GitHub:
    """GitHub's API of one repository, with a pull request."""

    def __init__(self) -> None:
        self.comments: list[Any] = [*OTHERS]
        self.pulls = [{"number": 8, "head": {"sha": "d" * 40}}, {"number": 9, "head": {"sha": RUN["head_sha"]}}]
        self.asked: list[str] = []
        self.written: list[tuple[str, str, str]] = []

    def answer(self, method: str, path: str, body: Any) -> Any:
        self.asked.append(f"{method} {path}")
        if method in ("PATCH", "POST"):
            self.written.append((method, path, body["body"]))
            return {}
        if "/pulls?" in path:
            return self.pulls
        page = int(re.findall(r"&page=(\d+)", path)[0])
        return self.comments[100 * (page - 1) : 100 * page]


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    fake = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == "Bearer token"
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            text = json.dumps(fake.answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_PATCH = do_POST = do_GET  # noqa: N815 - names of the library

        def log_message(self, *_args: object) -> None:
            pass

    event = tmp_path / "event.json"
    event.write_text(json.dumps({"workflow_run": RUN}), encoding="utf-8")
    with serving(Handler) as address:
        monkeypatch.setenv("GITHUB_API_URL", address)
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
        monkeypatch.setenv("GITHUB_REPOSITORY", "team/project")
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        yield fake


def posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    file = tmp_path / "comment.md"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["post_comment.py", str(file)])
    post_comment.main()


def test_the_first_text_is_posted_to_the_pull_request_of_the_run(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(tmp_path, monkeypatch, "### Difference")
    ((method, path, body),) = github.written
    assert (method, path) == ("POST", "/repos/team/project/issues/9/comments")
    assert body.startswith(f"{post_comment.MARKER}\n<sub>Written by [the pull request's own code]({RUN['html_url']});")
    assert body.endswith("\n\n### Difference")
    assert github.asked[0] == "GET /repos/team/project/pulls?state=open&head=someone%3Atopic%2Fa%26b&per_page=100"


def test_a_later_text_replaces_it_also_on_a_later_page(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.comments = [*OTHERS * 60, OURS]
    posted(tmp_path, monkeypatch, "### Difference")
    ((method, path, body),) = github.written
    assert (method, path) == ("PATCH", "/repos/team/project/issues/comments/5")
    assert "### Difference" in body
    assert "old" not in body


def test_a_run_of_an_older_commit_posts_nothing(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.pulls = github.pulls[:1]
    posted(tmp_path, monkeypatch, "### Difference")
    assert github.written == []


def test_a_run_without_a_text_says_so(github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    posted(tmp_path, monkeypatch, None)
    assert github.written[0][2].endswith("The difference could not be made: see the run's log.")
    (tmp_path / "link.md").symlink_to("/etc/hostname")
    monkeypatch.setattr("sys.argv", ["post_comment.py", str(tmp_path / "link.md")])
    post_comment.main()
    assert github.written[1][2] == github.written[0][2]


@pytest.mark.parametrize(
    "text",
    [
        "thanks @team/owners and @someone",
        "&#64;someone &commat;someone &num;12 https&colon;//evil.example",
        "@</code>someone #</code>12 https:</code>//evil.example",
        "closes #12, GH-13, other/project#14",
        "[click](https://evil.example)",
        "![x](https://evil.example/pixel.png)",
        "[click]: https://evil.example",
        "[click][1]",
        "https://evil.example www.evil.example mailto:a@b.example",
        "<https://evil.example>",
        "<img src=x onerror=alert(1)> <a href='//evil.example'>x</a> <details open> </DETAILS >",
        "<!-- hidden",
        "```mermaid\ngraph TD\n```\n> ~~~ GeoJSON\n{}\n~~~\n````stl\n````",
        "/approve\n  /merge",
        "\u202e reversed \x1b[31m \u2066",
    ],
)
def test_a_text_mentions_links_and_embeds_nothing(text: str) -> None:
    found = post_comment.harmless(text)
    # Tags that are allowed vanish, and entities become what they stand for.
    shown = html.unescape(re.sub(r"</?(details|summary|code)>", "", found, flags=re.IGNORECASE))
    for each in (found, shown):
        assert not re.search(r"@\w|(#|gh-)\d|//|\b(www|mailto)[.:]|\](\(|\[|:)", each, re.IGNORECASE)
    assert not re.search(r"<(?!\u200b|/?(details|summary|code)>)", found)
    assert not re.search(r"(?m)^\s*/|[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", found)
    assert not re.search(r"[`~]{3}[ \t]*(geojson|math|mermaid|stl|topojson)", found, re.IGNORECASE)
    assert re.sub(r"[\u200b\x1b\u202e\u2066]", "", found) == re.sub(r"[\x1b\u202e\u2066]", "", text)


def test_the_reports_own_form_stays() -> None:
    text = "### Difference\n\n| `a.b` | `1` | **2** |\n<details><summary><code>x</code></summary>\n\n- `y`\n</details>"
    assert post_comment.harmless(text) == text


def test_a_long_text_is_cut_below_githubs_limit() -> None:
    assert len(post_comment.body("x" * 200_000, str(RUN["html_url"]))) < 65_536


def test_outside_a_workflow_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    with pytest.raises(SystemExit, match="GITHUB_EVENT_PATH is not set"):
        posted(tmp_path, monkeypatch, "x")
