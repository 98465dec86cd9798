"""Queues, their dead-letter queues, the event bus, and the topic that alarms speak through."""

from typing import Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.constructs.alarms import watch_queue
from infra_cdk.constructs.resources import Address, Resources, bucket_name
from infra_cdk.naming import pascal_case, resource_name
from infra_cdk.settings import Settings
from infra_cdk.stacks.base import AreaStack
from shared.operations.capabilities import RESOURCES, EventBus, Queue
from shared.operations.declaration import Operation, QueueTrigger

VISIBILITY_TIMEOUTS: Final = 6
"""AWS asks for six function timeouts, so that a throttled batch is not delivered twice while it waits."""

MAX_RECEIVE_COUNT: Final = 5
IDLE_VISIBILITY_S: Final = 30
"""Of a queue that no declared operation consumes."""


class MessagingStack(AreaStack):
    """What operations send to one another through. First of all stacks: buckets notify queues, alarms use the topic."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        resources: Resources,
        operations: tuple[Operation, ...],
    ) -> None:
        super().__init__(scope, "messaging", settings, "queues, event bus, alarm topic.")
        self.queues: dict[str, sqs.Queue] = {}
        self.alarms_topic = self._topic(settings)
        for resource in RESOURCES:
            if isinstance(resource, Queue):
                self._add_queue(resource, settings, resources, visibility_s=visibility_s(resource, operations))
            elif isinstance(resource, EventBus):
                self._add_bus(resource, settings, resources)

    def _topic(self, settings: Settings) -> sns.Topic | None:
        if settings.alarms_email is None:
            return None
        key = kms.Key(
            self,
            "AlarmsKey",
            description="Tessera: alarm messages.",
            enable_key_rotation=True,
            rotation_period=Duration.days(90),
            removal_policy=RemovalPolicy.DESTROY,
        )
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        topic = sns.Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(settings.alarms_email))
        return topic

    def _add_queue(self, declared: Queue, settings: Settings, resources: Resources, *, visibility_s: int) -> None:
        construct_id = pascal_case(declared.name)
        dead_letters = sqs.Queue(
            self,
            f"{construct_id}DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=self.removal,
        )
        queue = sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(visibility_s),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVE_COUNT),
            removal_policy=self.removal,
        )
        if declared.fed_by is not None:
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["sqs:SendMessage"],
                    principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                    resources=[queue.queue_arn],
                    conditions={
                        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket_name(self, settings, declared.fed_by)}"},
                        "StringEquals": {"aws:SourceAccount": self.account},
                    },
                )
            )
        self.queues[declared.name] = queue
        watch_queue(queue, dead_letters, declared.name, self.alarms_topic)
        resources.add(declared, Address({declared.variable: queue.queue_url}, arns=(queue.queue_arn,)))
        CfnOutput(self, f"{construct_id}Url", value=queue.queue_url)
        CfnOutput(self, f"{construct_id}DeadLettersUrl", value=dead_letters.queue_url)

    def _add_bus(self, declared: EventBus, settings: Settings, resources: Resources) -> None:
        bus = events.EventBus(
            self,
            pascal_case(declared.name),
            event_bus_name=resource_name(settings.environment, declared.name),
            description="Tessera: what happened, for everyone who listens.",
        )
        resources.add(declared, Address({declared.variable: bus.event_bus_name}, arns=(bus.event_bus_arn,)))
        CfnOutput(self, f"{pascal_case(declared.name)}Bus", value=bus.event_bus_name)


def visibility_s(queue: Queue, operations: tuple[Operation, ...]) -> int:
    """Return how long a received message stays hidden: six times the timeout of the slowest consumer."""
    timeouts = [
        operation.timeout_s
        for operation in operations
        if isinstance(operation.trigger, QueueTrigger) and operation.trigger.queue == queue
    ]
    return VISIBILITY_TIMEOUTS * max(timeouts) if timeouts else IDLE_VISIBILITY_S
