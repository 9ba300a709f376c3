"""OpenTelemetry traces of questions if an OTLP endpoint is set; otherwise no-op spans.

The provider is not registered globally: FastAPI would trace every request with it, including the URL with the
authorization code of a sign-in.

Attributes follow OpenTelemetry's semantic conventions for generative AI, without content.
See: https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

import os
from collections.abc import Callable

from opentelemetry import trace

# For one batch with all retries: an unavailable collector must not delay the shutdown.
EXPORT_SECONDS = 2
_provider: list[trace.TracerProvider] = [trace.NoOpTracerProvider()]


def tracer() -> trace.Tracer:
    """Return the tracer of this package."""
    return _provider[0].get_tracer("kaito_chat")


def configure() -> Callable[[], None]:
    """Export traces as configured by the standard `OTEL_*` variables; return a function that flushes and stops."""
    # The SDK and the exporter take 4 % of the time of all imports.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": "kaito-chat"}))
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else EXPORT_SECONDS
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout)))
    _provider[0] = provider
    return provider.shutdown
