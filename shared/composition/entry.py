"""The Lambda entry: one handler for every function; which operation it serves is a setting.

Nothing is built at import; the first invocation builds the handler, later ones find it.
"""

import time
from functools import cache
from typing import Any, Final

from shared.composition.services import Services, services_for
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.operations.declaration import (
    AuthorizerTrigger,
    CommandTrigger,
    HttpTrigger,
    LambdaHandler,
    Operation,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
)
from shared.operations.registry import load_operation
from shared.telemetry.ports import Telemetry

_TEXT_TYPES: Final = ["text/", "application/json", "application/problem+json"]


def handler(event: dict[str, Any], context: Any) -> Any:
    """Serve one invocation of the operation that the environment names."""
    return _handler_of_environment()(event, context)


@cache
def _handler_of_environment() -> LambdaHandler:
    settings = Settings()
    area, _, operation_id = settings.operation.partition(".")
    from shared.adapters.powertools.telemetry import PowertoolsTelemetry, log_as_json

    log_as_json(operation_id)
    telemetry = PowertoolsTelemetry(operation_id, settings.environment, traced=settings.is_traced)
    return observed(build_handler(load_operation(area, operation_id), settings, telemetry), telemetry)


def observed(handle: LambdaHandler, telemetry: Telemetry) -> LambdaHandler:
    """Note every invocation's duration and failures, and hand the measurements over at its end."""

    def handle_observed(event: dict[str, Any], context: Any) -> Any:
        started = time.perf_counter()
        try:
            return handle(event, context)
        except Exception:
            telemetry.count("failures")
            raise
        finally:
            telemetry.count("invocations")
            telemetry.duration("duration", (time.perf_counter() - started) * 1000)
            telemetry.flush()

    return handle_observed


def build_handler(operation: Operation, settings: Settings, telemetry: Telemetry | None = None) -> LambdaHandler:
    """Return the Lambda handler of one operation: one entry factory per kind of trigger."""
    services = services_for(operation, settings, telemetry)

    def services_of(_: Operation) -> Services:
        return services

    match operation.trigger:
        case HttpTrigger():
            from mangum import Mangum

            from shared.operations.http import build_app

            app = build_app(
                [operation],
                services_of,
                caller_of_gateway,
                lambda _: services.limits,
                reach_of=lambda _: services.reach,
                trail_of=lambda _: services.access_trail,
            )
            api_handler: LambdaHandler = Mangum(app, lifespan="off", text_mime_types=_TEXT_TYPES)
            return api_handler
        case QueueTrigger(queue=queue):
            from shared.operations.messages import build_queue_consumer

            async def postpone(receipt_handle: str, seconds: int) -> None:
                await services.postpone(queue, receipt_handle, seconds)

            return build_queue_consumer(operation, services_of, postpone)
        case StreamTrigger():
            from shared.operations.messages import build_stream_consumer

            return build_stream_consumer(operation, services_of)
        case ScheduleTrigger():
            from shared.operations.messages import build_schedule

            return build_schedule(operation, services_of)
        case AuthorizerTrigger():
            from shared.operations.authorizers import build_authorizer

            return build_authorizer(operation, services_of)
        case CommandTrigger():
            from shared.operations.commands import build_command

            return build_command(operation, services_of)


async def caller_of_gateway(request: Any) -> Caller | None:
    """Return the caller that the authorizer recognised, from API Gateway's request context; None for nobody.

    Raises: UnreadableCallerError.
    """
    from shared.operations.callers import CONTEXT_NAME, read_caller
    from shared.operations.http import gateway_context

    authorizer = gateway_context(request.scope).get("authorizer") or {}
    line = (authorizer.get("lambda") or {}).get(CONTEXT_NAME)
    return None if line is None else read_caller(line)
