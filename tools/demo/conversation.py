"""Look at the chat's status until the model is ready, then ask it a question, as a page does.

`python conversation.py URL QUESTION`, in the chat application's environment.
"""

import asyncio
import sys
import time

import httpx

from kaito_chat.chainlit_client import Page

_READY_SECONDS = 60
_ANSWER_SECONDS = 120


async def warm(url: str) -> None:
    """Print each state of the model, until it is ready.

    Raises:
        TimeoutError: It is not ready in time.
    """
    began, last = time.monotonic(), ""
    async with asyncio.timeout(_READY_SECONDS), httpx.AsyncClient() as client:
        while last != "ready":
            (model,) = (await client.get(f"{url}/status")).raise_for_status().json()["models"]
            if model["state"] != last:
                last = model["state"]
                print(f"after {time.monotonic() - began:4.1f} s  {last:10}  {model['text']}", flush=True)
            await asyncio.sleep(0.2)


async def main(url: str, question: str) -> int:
    """Wait for the model, ask the question, and print the answer."""
    await warm(url)
    page = Page(url)
    await page.open()
    try:
        print(f"\nYou:    {question}", flush=True)
        heard = await page.ask(question, _ANSWER_SECONDS)
    finally:
        await page.close()
    print(f"Model:  {(heard.answer or heard.notice or '').strip()}")
    print(f"\nfirst text after {heard.first_text_seconds or 0:.2f} s")
    return 0 if heard.answer else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
