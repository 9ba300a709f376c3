"""What a person wants to know of synthesized Terraform: it reads the JSON and knows nothing of the CDK.

`documents` reads stacks, `kinds` names and groups their resources, `exposure` says who can reach them; `summary` and
`table` are what a synthesis ends with, `changes` and `report` what a pull request shows, `diagram` and `billing` what
the documentation draws.
"""
