"""The database as AWS sees it: entered by roles, over TLS, from inside the VPC, and kept where data is kept."""

from typing import Any

import pytest

from infra_cdk.settings import SettingsError, settings_from
from shared.operations.capabilities import DATABASE, DATABASE_OWNER, METADATA
from shared.operations.declaration import ScheduleTrigger
from tests.infra.samples import sample
from tests.infra.templates import Templates
from tests.infra.test_declarations import Build, build  # noqa: F401 - a fixture

CLUSTER = "AWS::RDS::DBCluster"
ASKS = sample("ask_samples", ScheduleTrigger(1), [DATABASE.connect, METADATA.read])


def cluster_of(templates: Templates) -> dict[str, Any]:
    (cluster,) = templates.all(CLUSTER)
    return dict(cluster.properties)


def test_cluster_is_encrypted_by_our_key_and_entered_by_roles(templates: Templates) -> None:
    if templates.environment == "local":
        assert templates.all(CLUSTER) == []
        return
    (found,) = templates.all(CLUSTER)
    cluster = found.properties
    key = f"Tessera-{templates.environment}-data.Key"

    assert (cluster["StorageEncrypted"], cluster["EnableIAMDatabaseAuthentication"]) == (True, True)
    assert str(templates.resolve(found.stack, cluster["KmsKeyId"])).startswith(key)
    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster
    assert str(templates.resolve(found.stack, cluster["MasterUserSecret"]["KmsKeyId"])).startswith(key)
    (parameters,) = templates.all("AWS::RDS::DBClusterParameterGroup")
    assert parameters.properties["Parameters"]["rds.force_ssl"] == "1"


def test_database_is_reached_from_functions_in_the_vpc_alone(prod: Templates) -> None:
    assert {one.properties["PubliclyAccessible"] for one in prod.all("AWS::RDS::DBInstance")} == {False}
    rules = [one for one in prod.all("AWS::EC2::SecurityGroupIngress") if one.stack == "Tessera-prod-relational"]
    assert rules
    for rule in rules:
        assert "CidrIp" not in rule.properties
        assert "Functions" in str(prod.resolve(rule.stack, rule.properties["SourceSecurityGroupId"]))
    (subnets,) = prod.all("AWS::RDS::DBSubnetGroup")
    names = prod.resolve(subnets.stack, subnets.properties["SubnetIds"])
    assert len(names) == 2
    assert all("Isolated" in name for name in names)


def test_prod_keeps_the_database_and_copies_of_it(prod: Templates) -> None:
    (found,) = prod.all(CLUSTER)

    assert found.properties["DeletionProtection"] is True
    assert found.properties["BackupRetentionPeriod"] == 35
    assert (found.body["DeletionPolicy"], found.body["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert len(prod.all("AWS::RDS::DBInstance")) == 2


def test_database_of_dev_sleeps_and_forgets_idle_connections(synthesize: Any) -> None:
    dev = synthesize("dev")

    scaling = cluster_of(dev)["ServerlessV2ScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["SecondsUntilAutoPause"]) == (0, 300)
    (parameters,) = dev.all("AWS::RDS::DBClusterParameterGroup")
    assert 0 < int(parameters.properties["Parameters"]["idle_session_timeout"]) < 300_000


def test_searching_stays_outside_where_only_the_database_is_inside(synthesize: Any) -> None:
    functions = {one.properties["FunctionName"]: one for one in synthesize("dev").all("AWS::Lambda::Function")}

    assert "VpcConfig" in functions["tessera-dev-list_audit_events"].properties
    assert "VpcConfig" not in functions["tessera-dev-search_knowledge_base"].properties


def test_functions_are_one_database_user_and_only_the_migration_is_the_owner(prod: Templates) -> None:
    for role in prod.all("AWS::IAM::Role"):
        policies = str(prod.resolve(role.stack, role.properties.get("Policies", [])))
        if "rds-db:connect" in policies:
            assert "DBClusterResourceId/tessera_app" in policies
            assert "dbuser:*" not in policies
        assert ("MasterUserSecret" in policies) == ("MigrateDatabase" in role.logical_id)


def test_nothing_is_built_where_nobody_asks_a_database(build: Build) -> None:  # noqa: F811
    templates = build("dev", sample("tidy_samples", ScheduleTrigger(1), [METADATA.read]))

    assert templates.all(CLUSTER) == []
    assert templates.all("AWS::EC2::VPC") == []


def test_deployment_can_do_without(build: Build) -> None:  # noqa: F811
    templates = build("dev", ASKS, database_capacity="none")

    assert templates.all(CLUSTER) == []
    (function,) = templates.all("AWS::Lambda::Function")
    assert function.properties["Environment"]["Variables"][DATABASE.variable] == ""


def test_proxy_signs_in_as_the_functions_user_and_is_the_only_one_that_they_reach(build: Build) -> None:  # noqa: F811
    templates = build("prod", ASKS, database_proxy=True)

    (proxy,) = templates.all("AWS::RDS::DBProxy")
    assert (proxy.properties["RequireTLS"], proxy.properties["DefaultAuthScheme"]) == (True, "IAM_AUTH")
    (function,) = templates.all("AWS::Lambda::Function")
    address = templates.resolve(function.stack, function.properties["Environment"]["Variables"][DATABASE.variable])
    assert address == "postgresql://tessera_app@Tessera-prod-relational.Proxy.Endpoint:5433/tessera?iam=true&tls=verify"


def test_owner_signs_in_at_the_server_itself(build: Build) -> None:  # noqa: F811
    migrates = sample("migrate_samples", ScheduleTrigger(1), [DATABASE_OWNER.sign_in])

    templates = build("prod", ASKS, migrates, database_proxy=True)

    functions = {one.properties["FunctionName"]: one for one in templates.all("AWS::Lambda::Function")}
    found = functions["tessera-prod-migrate_samples"]
    server = templates.resolve(
        found.stack, found.properties["Environment"]["Variables"][DATABASE_OWNER.server_variable]
    )
    assert (
        server == "postgresql://tessera_owner@Tessera-prod-relational.Cluster.Endpoint.Address:5433/tessera?tls=encrypt"
    )


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"database_endpoint": "postgresql://db.example.com:5432/tessera"}, "for the local cloud"),
        ({"database_capacity": {"smallest": 0.3, "largest": 2}}, "multiple of 0.5"),
        ({"database_capacity": {"smallest": 0, "largest": 2, "backup_days": 90}}, "35"),
    ],
)
def test_settings_that_do_not_fit_are_named(setting: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        settings_from({"environment": "prod", **setting}.get)
