"""All stacks of one environment, from its settings and the declared operations."""

from itertools import groupby
from typing import Final

from aws_cdk import App, ArnFormat, Validations
from cdk_nag import AwsSolutionsChecks

from infra_cdk.build import Assets
from infra_cdk.constructs.operation_function import Network, Platform
from infra_cdk.constructs.resources import Address, Resources
from infra_cdk.naming import further_domain_name, resource_name
from infra_cdk.packages import MODEL_FOLDER, refuse_what_does_not_fit
from infra_cdk.settings import SearchCell, Settings, signed_in_to
from infra_cdk.stacks.api import ApiStack
from infra_cdk.stacks.area import FunctionsStack
from infra_cdk.stacks.cache import CacheStack, cache_name
from infra_cdk.stacks.data import DataStack
from infra_cdk.stacks.messaging import MessagingStack
from infra_cdk.stacks.network import NetworkStack
from infra_cdk.stacks.observability import ObservabilityStack
from infra_cdk.stacks.relational import add_database
from infra_cdk.stacks.search import SearchStack
from shared.operations.capabilities import (
    CACHE,
    DATABASE,
    EMBEDDER,
    FETCH_POLICY,
    INTERNET,
    PARSER,
    SIGN_UP,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
    VECTORS,
)
from shared.operations.declaration import AuthorizerTrigger, Operation
from shared.operations.vector_cells import MAIN, VECTOR_CELLS, VectorCell, VectorCells

OWN_STACKS: Final = frozenset({"api", "cache", "data", "messaging", "network", "observability", "relational", "search"})
"""Names that no folder of `functions/` may take."""

LOCAL_VECTORS: Final = "sqlite"
"""The local cloud keeps its chunks in a file of its own folder; where, its launcher says."""


def build_environment(app: App, settings: Settings, operations: tuple[Operation, ...]) -> None:
    """Add the stacks of `settings.environment` to `app`, checked by cdk-nag when the app is synthesized."""
    refuse_what_does_not_fit(operations)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    resources = Resources(settings)
    messaging = MessagingStack(app, settings, resources, operations)
    data = DataStack(app, settings, resources, messaging.queues, operations)
    wants_database = settings.builds_database and any(DATABASE.connect in one.uses for one in operations)
    network = NetworkStack(app, settings, operations).network if settings.searches_inside or wants_database else None
    _add_vectors(app, settings, resources, data, network if settings.searches_inside else None)
    _add_cache(app, settings, resources, data, network)
    add_database(app, settings, resources, data.key, network if wants_database else None)
    _add_identity_settings(resources)
    resources.add(
        FETCH_POLICY.resource, Address({FETCH_POLICY.resource.variable: settings.fetch_policy.model_dump_json()})
    )
    _add_what_has_no_address(resources)
    platform = Platform(settings, resources, Assets(settings).code_of, messaging.alarms_topic, network)
    api = ApiStack(app, platform, operations)
    for area, members in groupby(operations, key=lambda operation: operation.area):
        if area in OWN_STACKS:
            raise ValueError(f"functions/{area} would share its stack's name with the infrastructure's own {area}.")
        triggered = tuple(one for one in members if not isinstance(one.trigger, AuthorizerTrigger))
        if triggered:  # the authorizer stands in the API's own stack, and may be alone in its folder
            FunctionsStack(app, area, triggered, platform, api, messaging.queues)
    ObservabilityStack(
        app,
        settings,
        operations,
        api.api.api_id,
        {name: queue.queue_name for name, queue in messaging.queues.items()},
    )


def _add_identity_settings(resources: Resources) -> None:
    """Say who is let in, under which names: settings, not resources, so there is nothing to permit."""
    settings = resources.settings
    for capability, value in (
        (SIGN_UP, settings.sign_up),
        (TOKEN_ISSUER, settings.token_issuer),
        (TOKEN_AUDIENCE, settings.token_audience),
    ):
        resources.add(capability.resource, Address({capability.resource.variable: value}))


def _add_what_has_no_address(resources: Resources) -> None:
    """Say where in the asset the model lies; the local cloud's functions hear from their launcher, which has it."""
    resources.add(PARSER.resource, Address({}))
    resources.add(INTERNET.resource, Address({}))
    model = {} if resources.settings.is_local else {EMBEDDER.resource.variable: f"/var/task/{MODEL_FOLDER}"}
    resources.add(EMBEDDER.resource, Address(model))


def _add_cache(app: App, settings: Settings, resources: Resources, data: DataStack, network: Network | None) -> None:
    """Provide the cache: one of our own, one that exists, or none, which its empty address says.

    As with the chunk index, roles name a cache in every environment.
    """
    name = user = cache_name(settings)
    address = settings.cache_endpoint or ""
    if settings.builds_cache and settings.cache_capacity is not None and network is not None:
        address = CacheStack(app, settings, settings.cache_capacity, network).address
    elif not settings.is_local and settings.cache_endpoint is not None:
        user, name = signed_in_to(settings.cache_endpoint)
    arns = tuple(
        data.format_arn(
            service="elasticache", resource=kind, resource_name=one, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        for kind, one in (("serverlesscache", name), ("user", user))
    )
    resources.add(CACHE, Address({CACHE.variable: address}, arns=arns))


def _add_vectors(app: App, settings: Settings, resources: Resources, data: DataStack, network: Network | None) -> None:
    """Provide the chunk index: domains of our own, some that exist, or the local cloud's files; one cell each.

    Roles name the domains in every environment, so that the local template grants what production's does.
    """
    domain_name = settings.opensearch_domain_name or resource_name(settings.environment, VECTORS.name)
    first = SearchCell(id=MAIN, endpoint=settings.opensearch_endpoint, domain_name=domain_name)
    cells: list[VectorCell] = []
    arns: dict[str, None] = {}
    for cell in (first, *settings.vector_cells):
        name = cell.domain_name or further_domain_name(settings.environment, cell.id)
        endpoint = cell.endpoint or LOCAL_VECTORS
        if cell.endpoint is None and settings.builds_domain and settings.search_capacity is not None:
            area = "search" if cell is first else f"search-{cell.id}"
            endpoint = SearchStack(app, settings, settings.search_capacity, data.key, name, network, area).endpoint
        region = cell.region or settings.region
        arns[data.format_arn(service="es", region=region, resource="domain", resource_name=name)] = None
        cells.append(
            VectorCell(id=cell.id, address=endpoint, region=region, index_prefix=cell.index_prefix, weight=cell.weight)
        )
    variables = {VECTORS.variable: cells[0].address}
    resources.add(VECTORS, Address(variables, arns=tuple(arns), arns_within=tuple(f"{arn}/*" for arn in arns)))
    if settings.has_places:
        resources.tell({VECTOR_CELLS: VectorCells(cells=tuple(cells)).model_dump_json()})
