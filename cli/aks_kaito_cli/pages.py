"""Pages of the documentation to which messages refer, some with a heading."""

REQUIREMENTS = "docs/deploy.md, What is needed"
STATE = "docs/deploy.md, State"
SIGN_IN = "docs/deploy.md, Sign-in"
MODEL_ENDPOINT = "docs/deploy.md, The model's own endpoint"
CONTROLLER = "docs/deploy.md, Which controller"
