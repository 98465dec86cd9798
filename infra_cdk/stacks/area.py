"""The functions of one folder of `functions/`, each with its trigger."""

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.constructs.operation_function import OperationFunction, Platform
from infra_cdk.constructs.triggers import attach_queue, attach_route, attach_schedule, attach_stream
from infra_cdk.stacks.api import ApiStack
from infra_cdk.stacks.base import AreaStack
from shared.operations.declaration import (
    AuthorizerTrigger,
    CommandTrigger,
    HttpTrigger,
    Operation,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
)


class FunctionsStack(AreaStack):
    """A loop over declarations."""

    def __init__(
        self,
        scope: Construct,
        area: str,
        operations: tuple[Operation, ...],
        platform: Platform,
        api: ApiStack,
        queues: dict[str, sqs.Queue],
    ) -> None:
        super().__init__(scope, area, platform.settings, f"functions of {area}.")
        for operation in operations:
            match operation.trigger:
                case HttpTrigger() as trigger:
                    attach_route(OperationFunction(self, operation, platform), trigger, api.api, api.authorizer)
                case QueueTrigger() as trigger:
                    attach_queue(OperationFunction(self, operation, platform), trigger, queues[trigger.queue.name])
                case ScheduleTrigger() as trigger:
                    attach_schedule(OperationFunction(self, operation, platform), trigger)
                case StreamTrigger() as trigger:
                    attach_stream(self, operation, trigger, platform)
                case CommandTrigger():
                    OperationFunction(self, operation, platform)
                case AuthorizerTrigger():
                    pass  # stands in the API's own stack
