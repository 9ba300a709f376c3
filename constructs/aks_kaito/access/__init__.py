"""How operators reach the virtual network.

- `bastion`: Azure Bastion.
- `jump_box`: the virtual machine behind it.
"""
