"""Settings of the process."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MANAGEMENT_ABOVE = 81
HIGHEST_PORT = 65535


class Process(BaseModel):
    """How the process runs."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    listen_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] = Field(
        default=8000, description="Not `port`: for a Service named kaito-chat, Kubernetes sets KAITO_CHAT_PORT."
    )
    management_port: Annotated[int, Field(ge=0, le=HIGHEST_PORT)] | None = Field(
        default=None,
        description="Serves `/livez`, `/readyz` and `/metrics`; publish `listen_port` only. 81 above that if unset.",
    )
    data_dir: Path = Field(
        default=Path("/tmp/kaito-chat"),  # noqa: S108
        description="The one writable directory. Holds nothing worth keeping.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="The least to log.")
    log_format: Literal["json", "text"] = Field(default="json", description="`text` for reading in a terminal.")
    debug: bool = Field(default=False, description="Log questions and answers. Never where people's words matter.")
    max_connections: Annotated[int, Field(ge=1)] = Field(
        default=1000, description="Connections to models' servers, for all sessions of one process."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Where traces go, by OTLP over HTTP. No traces if unset.",
    )

    @cached_property
    def management(self) -> int:
        """The port of probes and metrics; 0 takes a free one."""
        if self.management_port is not None or not self.listen_port:
            return self.management_port or 0
        above = self.listen_port + MANAGEMENT_ABOVE
        return above if above <= HIGHEST_PORT else self.listen_port - MANAGEMENT_ABOVE
