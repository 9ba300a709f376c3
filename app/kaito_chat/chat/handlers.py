"""Callbacks registered with Chainlit: chat profiles, starters, sign-in, the data layer.

Chainlit loads this file by its path, so it takes the shared objects from `registry`. Events and requests of pages
are handled in `sockets` and `routes`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import chainlit as cl

from kaito_chat.chat import registry, sign_in
from kaito_chat.settings import ModelSettings, Starter

services = registry.services()
settings = services.settings


def _starters(starters: tuple[Starter, ...] | None) -> list[cl.Starter]:
    offered = settings.starters if starters is None else starters
    return [cl.Starter(label=each.label, message=each.message, icon=each.icon) for each in offered]


def _profile(model: ModelSettings) -> cl.ChatProfile:
    return cl.ChatProfile(
        name=model.name,
        markdown_description=model.description or model.name,
        icon=model.icon or f"{settings.root_path}/public/icon.svg",
        starters=_starters(model.starters),
        default=model is settings.configured_models[0],
    )


def _presented(models: Sequence[ModelSettings]) -> bool:
    """Return whether the page presents the models: there is a choice, or the only one has an icon or a description."""
    return len(models) > 1 or bool(models[0].name and (models[0].icon or models[0].description))


if _presented(settings.configured_models):

    @cl.set_chat_profiles
    async def profiles() -> list[cl.ChatProfile]:
        """Return the models to choose from."""
        return [_profile(model) for model in settings.configured_models]


@cl.set_starters
async def starters() -> list[cl.Starter]:
    """Return the starter questions of a new conversation."""
    return _starters(settings.configured_models[0].starters)


@cl.on_chat_resume
async def resume(_thread: Mapping[str, Any]) -> None:
    """Do nothing: Chainlit lists earlier conversations only with this callback; `sockets` resumes them."""


sign_in.register(settings)

if registry.data_layer():

    @cl.data_layer
    def history() -> object:
        """Return the data layer, which stores conversations."""
        return registry.data_layer()
