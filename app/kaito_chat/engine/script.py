"""The scripted engine's answers: a deterministic function of the conversation."""

import re
from collections.abc import Sequence
from typing import Any

MOST_NUMBERS = 10_000
PARAGRAPHS = 12
TOKENS_PER_MESSAGE = 4
PIECE = re.compile(r"\s*\S{1,8}|\s+$")
COUNT = re.compile(r"\bcount to (\d{1,5})\b", re.IGNORECASE)

TABLE = """Here is a table:

| Protocol | Connection | Order | Used for |
| --- | --- | --- | --- |
| TCP | yes | kept | pages, mail |
| UDP | no | not kept | names, calls |
| QUIC | yes | kept per stream | newer pages |
| SCTP | yes | kept per stream | telephony |
"""
CODE = """This function says whether a number is prime:

```python
def is_prime(number: int) -> bool:
    \"\"\"Whether a number has no divisors but 1 and itself.\"\"\"
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))
```

`is_prime(7)` is `True`, `is_prime(9)` is `False`.
"""
FORMULA = r"""The roots of $ax^2 + bx + c = 0$ are

$$x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$

as long as $a \neq 0$.
"""
PARAGRAPH = (
    "This is paragraph {number} of {count}. It says nothing new, but it says it in full sentences, so that the page "
    "has something to wrap, to scroll and to render while it arrives. A reader may leave at any time; the engine "
    "notices and stops."
)
USUAL = """This is answer {turn}. You asked:

{question}

I follow a script and know nothing. Ask me for

- a **table**, some **code** or a **formula**,
- a **long answer**,
- or to **count to 20**.
"""


def text_of(content: object) -> str:
    """Return the text of a message's content, which may be a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def tokens_of(text: str) -> list[str]:
    """Split a text into pieces of roughly the length of tokens."""
    return PIECE.findall(text)


def prompt_tokens_of(messages: Sequence[dict[str, Any]]) -> int:
    """Return the token count of a conversation, including the overhead of a chat template."""
    return sum(len(tokens_of(text_of(message.get("content")))) + TOKENS_PER_MESSAGE for message in messages)


def answer_to(messages: Sequence[dict[str, Any]]) -> str:
    """Return the answer to the last question."""
    questions = [text_of(message.get("content")) for message in messages if message.get("role") == "user"]
    question = questions[-1] if questions else ""
    if count := COUNT.search(question):
        return " ".join(str(number) for number in range(1, min(int(count[1]), MOST_NUMBERS) + 1))
    if re.search(r"\btable\b", question, re.IGNORECASE):
        return TABLE
    if re.search(r"\b(code|function)\b", question, re.IGNORECASE):
        return CODE
    if re.search(r"\b(formula|equation|latex)\b", question, re.IGNORECASE):
        return FORMULA
    if re.search(r"\blong answer\b", question, re.IGNORECASE):
        numbers = range(1, PARAGRAPHS + 1)
        return "\n\n".join(PARAGRAPH.format(number=number, count=PARAGRAPHS) for number in numbers)
    quoted = "\n".join(f"> {line}" for line in question.strip().splitlines()) or "> (nothing)"
    return USUAL.format(turn=len(questions), question=quoted)
