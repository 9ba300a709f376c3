"""The approach of KAITO's sample: a blocking call for the whole answer, inside an asynchronous handler."""

import os

import chainlit as cl
import requests

ENDPOINT = os.environ["PEER_ENDPOINT"]


@cl.on_chat_start
async def start() -> None:
    """Signal the page that it can start the conversation."""
    await cl.ChatSettings([]).send()


@cl.on_message
async def message(asked: cl.Message) -> None:
    """Send the complete answer."""
    response = requests.post(f"{ENDPOINT}/chat", json={"prompt": asked.content}, timeout=600)  # noqa: ASYNC210
    await cl.Message(response.json()["Result"]).send()
