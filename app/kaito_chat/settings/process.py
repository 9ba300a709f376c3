"""Settings of the process."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MANAGEMENT_ABOVE = 81
HIGHEST_PORT = 65535


class Process(BaseModel):
    """Addresses, logs and traces of the process."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    host: str = "127.0.0.1"
    """Address to listen on."""
    listen_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] = 8000
    """Port of the page. It is not named `port` because Kubernetes sets KAITO_CHAT_PORT for a Service named kaito-
    chat."""
    management_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] | None = None
    """Port of `/livez`, `/readyz` and `/metrics`; publish `listen_port` only. If unset, `listen_port` + 81."""
    data_dir: Path = Path("/tmp/kaito-chat")  # noqa: S108
    """The only directory that must be writable. It holds no data that must survive a restart."""
    secrets_dirs: tuple[Path, ...] = ()
    """Directories of mounted secrets, as a JSON list. A file named after a secret setting takes precedence over the
    variable, and is read again when it changes; the last directory that has it counts."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Minimum level of log messages. Audit lines are written at every level."""
    log_format: Literal["json", "text"] = "json"
    """Format of log messages; `text` is for terminals."""
    debug: bool = False
    """Log questions and answers. Do not use it where conversations are confidential."""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """Maximum number of connections to model servers, for all sessions of a process."""
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """OTLP endpoint for traces, over HTTP. If unset, no traces are sent."""

    @cached_property
    def management(self) -> int:
        """The port of probes and metrics; 0 selects a free port."""
        if self.management_port is not None or not self.listen_port:
            return self.management_port or 0
        above = self.listen_port + MANAGEMENT_ABOVE
        return above if above <= HIGHEST_PORT else self.listen_port - MANAGEMENT_ABOVE
