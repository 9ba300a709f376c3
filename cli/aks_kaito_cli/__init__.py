"""The command `aks-kaito`: synthesize, compare, deploy, destroy, release or price an environment, check the machine.

Read it in this order; imports point down the list:

- `app`: the Typer application; `groups` declares its subcommands.
- `deploy`: the steps of a deployment, of a destruction and of a release; `comparison`: two synthesized revisions.
- `gpu_pools`: node pools that KAITO made, and their owners; `cost`: estimate and bill of an environment.
- `doctor`: the needs of each command on this machine.
- `shell`: runs programs and passes signals on.
- `commands`: builds command lines and starts nothing.
- `project`, `pages`: files of the checkout, and pages of the documentation that messages name.

Synthesis itself (`main.py`) imports nothing from here.
"""
