"""Stand-ins for packages that Chainlit imports at its start and that this application never uses.

`mcp` serves MCP, which the configuration switches off and the gate refuses. `traceloop` belongs to Literal AI, a hosted
service whose environment variables `page.surroundings` removes. Neither is installed: together with their dependencies
they take a sixth of the image's environment and a quarter of the time of the imports.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

_NAMES = {"mcp": ("ClientSession",), "traceloop": (), "traceloop.sdk": ("Traceloop",)}


def install() -> None:
    """Register a module for each package, with empty classes that Chainlit names in annotations and methods."""
    for name, classes in _NAMES.items():
        module = ModuleType(name, "A stand-in for a package that is not installed.")
        module.__spec__ = ModuleSpec(name, None)
        for each in classes:
            setattr(module, each, type(each, (), {}))
        sys.modules.setdefault(name, module)
