"""Pages of the documentation to which messages refer, some with a heading."""

REQUIREMENTS = "docs/how-to/deploy.md, Requirements"
STATE = "docs/how-to/share-state.md"
SIGN_IN = "docs/how-to/sign-in.md"
MODEL_ENDPOINT = "docs/how-to/publish-the-model.md"
CONTROLLER = "docs/how-to/choose-a-controller.md"
