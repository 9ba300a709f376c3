"""The texts shown to users, translated: errors, notices, warm-up steps, labels."""

from kaito_chat.texts.catalog import DEFAULT, codes, negotiate
from kaito_chat.texts.messages import CONTINUE, Step, Texts, texts_for

__all__ = ["CONTINUE", "DEFAULT", "Step", "Texts", "codes", "negotiate", "texts_for"]
