"""Protection against destruction, for resources whose loss cannot be undone by a deployment.

Terraform refuses each plan that would destroy or replace a protected resource. A synthesis for `make destroy` lifts
the protection with the context key `prevent_destroy` of the app.

See: https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle
"""

from collections.abc import Sequence

from cdktn import TerraformResourceLifecycle
from constructs import Construct

CONTEXT_KEY = "prevent_destroy"


def lifecycle(scope: Construct, ignore_changes: Sequence[str] | None = None) -> TerraformResourceLifecycle:
    """Return the lifecycle of a protected resource; without the context key, the resource is protected."""
    protected = scope.node.try_get_context(CONTEXT_KEY)
    return TerraformResourceLifecycle(
        prevent_destroy=protected is None or bool(protected),
        ignore_changes=list(ignore_changes) if ignore_changes else None,
    )
