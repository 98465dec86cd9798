"""The entry of commands: functions without a route, invoked by name by administrators of the AWS account."""

import asyncio
from typing import Any, get_type_hints

from pydantic import BaseModel

from shared.audit.acts import acting
from shared.operations.audit import act_of_administrator
from shared.operations.declaration import LambdaHandler, Operation, ServicesOf
from shared.operations.tenants import for_invocation


def build_command(operation: Operation, services_of: ServicesOf) -> LambdaHandler:
    """Return the handler of a command: the payload is the model of the operation's first parameter.

    The answer is the operation's result as JSON. Raises: whatever the operation raises; Lambda shows it to the caller,
    who may read the function's logs anyway.
    """
    hints = get_type_hints(operation.function)
    request_type: type[BaseModel] = hints[next(iter(hints))]

    def handle(event: dict[str, Any], context: Any) -> Any:
        request = request_type.model_validate(event)
        with acting(act_of_administrator(operation, context)), for_invocation(operation, request):
            result = asyncio.run(operation.function(request, services=services_of(operation)))
        return result.model_dump(mode="json") if isinstance(result, BaseModel) else result

    return handle
