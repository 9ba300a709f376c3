"""Tags that others set on the resources of a stack, such as an Azure policy.

azurerm has no list of ignored tags for all resources, so each resource ignores them.
"""

from collections.abc import Sequence

from cdktn import TerraformResource, TerraformStack


def ignore(stack: TerraformStack, names: Sequence[str]) -> None:
    """Make every resource of the stack that has tags ignore those with these names."""
    if not names:
        return
    ignored = [f'tags["{name}"]' for name in names]
    for found in stack.node.find_all():
        if isinstance(found, TerraformResource) and hasattr(found, "tags_input"):
            lifecycle = found.lifecycle
            others = list(lifecycle.ignore_changes or ()) if lifecycle is not None else []
            found.add_override("lifecycle.ignore_changes", [*others, *ignored])
