"""Stand-ins for packages that other packages import at their start and that this application never uses.

`mcp` serves MCP, which the configuration switches off and the gate refuses. `literalai` belongs to a hosted service,
whose environment variables `page.surroundings` removes. Neither is installed: with their dependencies they take a sixth
of the image's environment and a quarter of the time of the imports.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

# By module, the names that Chainlit imports, and what it does with them: it annotates with all of them.
_GENERATIONS = ("BaseGeneration", "ChatGeneration", "CompletionGeneration", "GenerationMessage")
_NAMES: dict[str, dict[str, type]] = {
    "mcp": {"ClientSession": object},
    "literalai": dict.fromkeys(_GENERATIONS, object),
    "literalai.observability": {},
    "literalai.observability.step": dict.fromkeys(("MessageStepType", "StepType", "TrueStepType"), str),
}
# FastAPI imports it, if it can, to reject the models of a version of pydantic that nobody uses any more.
_MISSING = "pydantic.v1"


def install() -> None:
    """Register a module for each package, with the names that Chainlit imports."""
    for name, types in _NAMES.items():
        module = ModuleType(name, "A stand-in for a package that is not installed.")
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(types)
        sys.modules.setdefault(name, module)
    sys.modules.setdefault(_MISSING, None)  # type: ignore[arg-type] # documented: the import raises ModuleNotFoundError
