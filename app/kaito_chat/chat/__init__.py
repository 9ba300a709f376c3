"""Conversations on Chainlit's page."""
