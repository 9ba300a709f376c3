"""The page around Chainlit's own: its configuration, its files, and what it may load."""
