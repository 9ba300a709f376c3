"""Values that Terraform stores in its state, and resources that it replaces when such a value changes.

See: https://developer.hashicorp.com/terraform/language/resources/terraform-data
"""

from collections.abc import Sequence

from cdktn import ITerraformDependable, TerraformResource, TerraformResourceLifecycle
from constructs import Construct


def stored(
    scope: Construct,
    construct_id: str,
    value: object,
    *,
    until_changed: object = None,
    depends_on: Sequence[ITerraformDependable] = (),
) -> TerraformResource:
    """Store `value` in the state; with `until_changed`, another value is stored only when that changes.

    A resource with the result's `address` in `replace_triggered_by` is replaced when the value changes. The attribute
    `output` is the value, but unknown until `depends_on` exist for the first time.
    """
    keeps = TerraformResourceLifecycle(ignore_changes=["input"]) if until_changed is not None else None
    resource = TerraformResource(
        scope,
        construct_id,
        terraform_resource_type="terraform_data",
        depends_on=list(depends_on) or None,
        lifecycle=keeps,
    )
    resource.add_override("input", value)
    if until_changed is not None:
        resource.add_override("triggers_replace", until_changed)
    return resource


def address(resource: TerraformResource) -> str:
    """Return a resource's address in Terraform; for the resource itself, cdktn writes an expression that is refused."""
    return f"{resource.terraform_resource_type}.{resource.friendly_unique_id}"
