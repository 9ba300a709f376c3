"""Traces of questions, when an OTLP endpoint is set; without one, the API's own spans that do nothing.

Attributes follow OpenTelemetry's conventions for generative AI, without content.
See: https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def tracer() -> trace.Tracer:
    """The tracer of this package."""
    return trace.get_tracer("kaito_chat")


def configure() -> Callable[[], None]:
    """Send traces where the standard `OTEL_*` variables say; returns what flushes and ends it."""
    provider = TracerProvider(resource=Resource.create({"service.name": "kaito-chat"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown
