"""Reading of Azure's management API, through the Azure SDK for Python: sign-in, requests, errors.

The libraries belong to the extra `operations`; only the subcommands that ask Azure import this package.
"""
