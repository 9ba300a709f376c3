"""The texts that people read, in their language: troubles, notices, steps of a warm-up, labels."""

from kaito_chat.texts.catalogue import DEFAULT, codes, negotiate
from kaito_chat.texts.texts import CONTINUE, Step, Texts, texts_for

__all__ = ["CONTINUE", "DEFAULT", "Step", "Texts", "codes", "negotiate", "texts_for"]
