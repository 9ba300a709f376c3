"""Traces of questions, when an OTLP endpoint is set; without one, the API's own spans that do nothing.

The provider is not made the process's own: FastAPI would trace every request with it, and with its address the code of
a sign-in.

Attributes follow OpenTelemetry's conventions for generative AI, without content.
See: https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

import os
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# For one batch, with all attempts: a collector that is away must not hold up the end of the process.
EXPORT_SECONDS = 2
_provider: list[trace.TracerProvider] = [trace.NoOpTracerProvider()]


def tracer() -> trace.Tracer:
    """The tracer of this package."""
    return _provider[0].get_tracer("kaito_chat")


def configure() -> Callable[[], None]:
    """Send traces where the standard `OTEL_*` variables say; returns what flushes and ends it."""
    provider = TracerProvider(resource=Resource.create({"service.name": "kaito-chat"}))
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else EXPORT_SECONDS
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout)))
    _provider[0] = provider
    return provider.shutdown
