"""The HTTP API and its authorizer; the routes stand in the stacks of their areas."""

import json
from typing import Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.constructs.alarms import ERROR_RATE_PERCENT, PERIOD, Alarms
from infra_cdk.constructs.log_retention import log_retention_of
from infra_cdk.constructs.operation_function import OperationFunction, Platform
from infra_cdk.naming import pascal_case, resource_name
from infra_cdk.settings import Settings
from infra_cdk.stacks.base import AreaStack, resource_of
from shared.operations.cross_origin import ALLOWED_HEADERS, EXPOSED_HEADERS, METHODS, PREFLIGHT_S
from shared.operations.declaration import AuthorizerTrigger, Operation

SLOW_MS: Final = 2_000
"""Warning in row O2."""

ACCESS_LOG_FORMAT: Final = json.dumps({
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integrationLatency",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
    "tenant": "$context.authorizer.tenant",
    "ip": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
})  # fmt: skip


class ApiStack(AreaStack):
    """HTTP API v2: throttled, logged, and closed to whoever the authorizer does not know."""

    def __init__(self, scope: Construct, platform: Platform, operations: tuple[Operation, ...]) -> None:
        settings = platform.settings
        super().__init__(scope, "api", settings, "HTTP API and authorizer.")
        self.api = apigateway.HttpApi(
            self,
            "Api",
            api_name=resource_name(settings.environment, "api"),
            create_default_stage=False,
            cors_preflight=_cors(settings),
        )
        self.authorizer = self._authorizer(platform, operations)
        access_logs = logs.LogGroup(
            self,
            "AccessLogs",
            log_group_name=f"/aws/vendedlogs/{resource_name(settings.environment, 'api')}",
            retention=log_retention_of(settings),
            removal_policy=self.removal,
        )
        self.stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=settings.throttle_rate, burst_limit=settings.throttle_burst
            ),
        )
        resource_of(
            self.stage, apigateway.CfnStage
        ).access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_logs.log_group_arn, format=ACCESS_LOG_FORMAT
        )
        self._watch(platform)
        CfnOutput(self, "ApiId", value=self.api.api_id)
        CfnOutput(self, "ApiUrl", value=self.api.api_endpoint)

    def _authorizer(
        self, platform: Platform, operations: tuple[Operation, ...]
    ) -> authorizers.HttpLambdaAuthorizer | None:
        for operation in operations:
            if isinstance(operation.trigger, AuthorizerTrigger):
                function = OperationFunction(self, operation, platform)
                return authorizers.HttpLambdaAuthorizer(
                    f"{pascal_case(operation.id)}OfApi",
                    function.target,
                    authorizer_name=operation.id,
                    response_types=[authorizers.HttpLambdaResponseType.SIMPLE],
                    results_cache_ttl=Duration.seconds(operation.trigger.cache_s),
                    identity_source=["$request.header.Authorization"],
                )
        return None

    def _watch(self, platform: Platform) -> None:
        alarms = Alarms(self.api, platform.alarms_topic)
        alarms.add(
            "Latency",
            self.api.metric_latency(period=PERIOD, statistic="p95"),
            above=SLOW_MS,
            minutes=2,
            says=f"The p95 of the API is above {SLOW_MS} ms.",
        )
        # A refusal for want of something we depend on is no failed call of the function that answers with it.
        alarms.add(
            "Failures",
            self.api.metric_server_error(period=PERIOD, statistic="Average"),
            above=ERROR_RATE_PERCENT / 100,
            minutes=3,
            says=f"More than {ERROR_RATE_PERCENT} % of the API's answers are failures of ours.",
        )


def _cors(settings: Settings) -> apigateway.CorsPreflightOptions | None:
    if not settings.cors_origins:
        return None
    return apigateway.CorsPreflightOptions(
        allow_origins=list(settings.cors_origins),
        allow_methods=[apigateway.CorsHttpMethod[method] for method in METHODS],
        allow_headers=list(ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
        max_age=Duration.seconds(PREFLIGHT_S),
    )
