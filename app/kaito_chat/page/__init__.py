"""Chainlit's configuration and static files, request filtering, security headers, and Markdown rewriting."""
