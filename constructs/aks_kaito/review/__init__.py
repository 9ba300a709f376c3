"""Reviews of synthesized Terraform, from its JSON and without the CDK.

`documents` reads stacks, `kinds` names and groups their resources, and `exposure` says who can reach them. A synthesis
prints `output`: a `summary`, as a `table` or as JSON. `make diff` prints the `report` of `changes`. The documentation
contains the `diagram` and the table of `billing`.
"""
