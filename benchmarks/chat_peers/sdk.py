"""The usual approach: the openai SDK, with every token sent to the page separately."""

import os

import chainlit as cl
from openai import AsyncOpenAI

client = AsyncOpenAI(base_url=os.environ["PEER_ENDPOINT"] + "/v1", api_key="none")


@cl.on_chat_start
async def start() -> None:
    """Signal the page that it can start the conversation."""
    await cl.ChatSettings([]).send()


@cl.on_message
async def message(asked: cl.Message) -> None:
    """Stream the answer token by token."""
    answer = cl.Message("")
    stream = await client.chat.completions.create(
        model="fixed", messages=[{"role": "user", "content": asked.content}], stream=True
    )
    async for piece in stream:
        if piece.choices and (token := piece.choices[0].delta.content):
            await answer.stream_token(token)
    await answer.send()
