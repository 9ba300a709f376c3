"""The command `aks-kaito`: synthesize, compare, deploy, destroy and release an environment.

`app` is the Typer application; `groups` declares the subcommands; `deploy` holds the steps of a deployment, of its end
and of a release; `comparison` compares two synthesized revisions; `shell` runs programs; `commands` builds their
command lines and starts nothing; `project` knows the files of the checkout. Imports point down this list. Synthesis
itself (`main.py`) imports nothing from here.
"""
