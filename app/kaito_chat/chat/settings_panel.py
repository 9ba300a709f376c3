"""The page's settings panel: values that the user can choose, within the backend's limits."""

import math
from collections.abc import Mapping
from typing import Any

from chainlit.chat_settings import ChatSettings
from chainlit.input_widget import Select, Slider, TextInput

from kaito_chat.backends import Sampling
from kaito_chat.history.characters import plain
from kaito_chat.models.readiness import Model
from kaito_chat.settings import Settings
from kaito_chat.texts import Texts

MAX_TOKENS_STEP = 16
LONGEST_TEXT = 20_000
NUMBER = int | float
KINDS: dict[str, Any] = {
    "model": str,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "max_tokens": NUMBER,
    "system_prompt": str,
}


def max_tokens_limit(settings: Settings, model: Model, chosen_id: object = None) -> int:
    """Return the maximum answer length: half of the context window, or of a default while that is unknown."""
    window = model.window_tokens(chosen_id if isinstance(chosen_id, str) else None)
    if window is None:
        window = model.backend.capabilities.default_window_tokens if model.backend else 4 * settings.max_tokens
    return max(window // 2, MAX_TOKENS_STEP)


def panel(settings: Settings, model: Model, chosen: Mapping[str, Any], texts: Texts) -> ChatSettings:
    """Return the panel for a model, with the values chosen before."""
    limit = max_tokens_limit(settings, model, chosen.get("model"))
    sampling = sampling_of(settings, model, chosen)
    highest = model.backend.capabilities.temperature_max if model.backend else 2.0
    return ChatSettings(
        [
            *_models(model, chosen, texts),
            Slider(
                id="temperature",
                label=texts.say("settings.temperature"),
                initial=min(sampling.temperature, highest),
                min=0,
                max=highest,
                step=0.1,
                description=texts.say("settings.temperature_tip"),
            ),
            Slider(
                id="top_p",
                label=texts.say("settings.top_p"),
                initial=sampling.top_p,
                min=0.05,
                max=1,
                step=0.05,
                description=texts.say("settings.top_p_tip"),
            ),
            Slider(
                id="max_tokens",
                label=texts.say("settings.max_tokens"),
                initial=min(sampling.max_tokens, limit),
                min=MAX_TOKENS_STEP,
                max=limit,
                step=MAX_TOKENS_STEP,
                description=texts.say("settings.max_tokens_tip"),
            ),
            TextInput(
                id="system_prompt",
                label=texts.say("settings.system_prompt"),
                initial=system_prompt_of(settings, model, chosen),
                multiline=True,
                description=texts.say("settings.system_prompt_tip"),
            ),
        ]
    )


def _models(model: Model, chosen: Mapping[str, Any], texts: Texts) -> list[Select]:
    """Return a menu of the server's models and adapters, if it has more than one."""
    served = model.served(chosen.get("model"))
    if served is None or len(model.choices) < 2:  # noqa: PLR2004 - one is no choice
        return []
    return [
        Select(
            id="model",
            label=texts.say("settings.model"),
            values=[choice.id for choice in model.choices],
            initial_value=served.id,
            description=texts.say("settings.model_tip"),
        )
    ]


def accepted(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the valid settings in a page's message: known keys, right types, bounded length."""
    return {
        key: value[:LONGEST_TEXT] if isinstance(value, str) else value
        for key, value in sent.items()
        if key in KINDS and isinstance(value, KINDS[key]) and not isinstance(value, bool) and _is_finite(value)
    }


def _is_finite(value: object) -> bool:
    """Return whether JSON can represent a value: settings are sent back to the browser, which rejects NaN."""
    return not isinstance(value, float) or math.isfinite(value)


def sampling_of(settings: Settings, model: Model, chosen: Mapping[str, Any]) -> Sampling:
    """Return the sampling parameters chosen on the page, clamped to their limits."""
    limit = max_tokens_limit(settings, model, chosen.get("model"))
    return Sampling(
        temperature=_within(chosen.get("temperature"), settings.temperature, 0.0, 2.0),
        top_p=_within(chosen.get("top_p"), settings.top_p, 0.01, 1.0),
        max_tokens=round(_within(chosen.get("max_tokens"), min(settings.max_tokens, limit), 1, limit)),
        top_k=settings.top_k,
    )


def system_prompt_of(settings: Settings, model: Model, chosen: Mapping[str, Any]) -> str:
    """Return the system prompt: the user's takes precedence over the model's, that over the application's."""
    default = model.settings.system_prompt
    value = chosen.get("system_prompt")
    if isinstance(value, str):
        return plain(value[:LONGEST_TEXT])
    return settings.system_prompt if default is None else default


def _within(value: object, default: float, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        value = default
    return min(max(value, low), high)
