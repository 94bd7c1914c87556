"""The CloudFormation template: linted, created in moto, read back resource by resource."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network, collapse_addresses, ip_network
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.runs.divisions import subjects_root
from tests.each import each
from tests.kubeflow.aws_stack import REGION, TEMPLATE, Stack, created, is_allowed, template
from tests.kubeflow.helm_chart import CHART, RELEASE, helm
from tests.kubeflow.manifest_objects import (
    MANIFESTS,
    SERVICE,
    STANDALONE,
    complaints,
    kubernetes_release,
    objects,
    pod_templates,
)
from tests.kubeflow.spec_walker import REPOSITORY

POLICIES = REPOSITORY / "kubeflow" / "object-store"
DOCUMENTED = (REPOSITORY / "docs" / "deploy.md").read_text("utf-8")
NOT_MADE = {
    "AWS::EKS::AccessEntry",
    "AWS::EKS::Addon",
    "AWS::EKS::Cluster",
    "AWS::EKS::Nodegroup",
    "AWS::EKS::PodIdentityAssociation",
    "AWS::S3::BucketPolicy",
    "AWS::SecretsManager::Secret",
}
"""What moto completes a stack without: docs/deploy.md says so."""

CONTENT = template()
RESOURCES = CONTENT["Resources"]
THROUGH_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with created() as made:
        yield made


def properties(name: str) -> Any:
    """What the template says of a resource."""
    return RESOURCES[name]["Properties"]


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "cfn-lint"
    return subprocess.run(
        [program, "--include-checks", "I", "--template", path],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_linter_finds_nothing() -> None:
    found = lint(TEMPLATE)
    assert found.returncode == 0, found.stdout


def test_the_linter_finds_a_wrong_property(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.read_text().replace("PubliclyAccessible:", "PublicAccess:"))

    assert "PublicAccess" in lint(path).stdout


def test_cloudformation_reads_no_anchors() -> None:
    tokens = list(yaml.scan(TEMPLATE.read_text()))

    assert len(tokens) > 1000
    assert not [t for t in tokens if isinstance(t, yaml.AnchorToken | yaml.AliasToken)]


def test_every_resource_is_made_or_documented_as_not_run(stack: Stack) -> None:
    missing = {name for name in RESOURCES if name not in stack.resources}

    assert len(RESOURCES) - len(missing) > 35
    assert {RESOURCES[name]["Type"] for name in missing} == NOT_MADE
    assert [kind for kind in each(NOT_MADE) if f"`{kind}`" not in DOCUMENTED] == []


def test_the_bucket_is_encrypted_with_a_key_that_rotates(stack: Stack) -> None:
    found = stack.client("s3").get_bucket_encryption(Bucket=stack.resources["Bucket"])
    (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]

    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": stack.key(),
    }
    rotation = stack.client("kms").get_key_rotation_status(KeyId=stack.resources["Key"])
    assert rotation["KeyRotationEnabled"]


def test_the_bucket_is_private_and_keeps_earlier_versions() -> None:
    """Moto's CloudFormation leaves these settings out: they are read in the template."""
    said = properties("Bucket")

    assert set(said["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(said["PublicAccessBlockConfiguration"]) == 4
    assert said["VersioningConfiguration"] == {"Status": "Enabled"}
    (statement,) = properties("BucketRules")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    expired = [
        rule["Prefix"]
        for rule in said["LifecycleConfiguration"]["Rules"]
        if "NoncurrentVersionExpiration" in rule
    ]
    assert expired == ["runs/"]


def test_the_database_is_private_encrypted_and_backed_up(stack: Stack) -> None:
    (found,) = stack.client("rds").describe_db_instances()["DBInstances"]

    assert found["DBInstanceIdentifier"] == stack.resources["Database"]
    assert found["StorageEncrypted"]
    assert found["KmsKeyId"].endswith(stack.resources["Key"])
    assert not found["PubliclyAccessible"]
    assert found["BackupRetentionPeriod"] == 14
    assert found["MultiAZ"]
    assert found["Engine"] == "postgres"
    subnets = {item["SubnetIdentifier"] for item in found["DBSubnetGroup"]["Subnets"]}
    assert subnets == {stack.resources[f"DatabaseSubnet{zone}"] for zone in "AB"}


def test_the_database_owner_has_a_password_that_rds_rotates_and_no_template_holds() -> None:
    said = properties("Database")

    assert said["ManageMasterUserPassword"] is True
    assert said["DeletionProtection"] is True
    assert RESOURCES["Database"]["DeletionPolicy"] == "Snapshot"
    assert properties("DatabaseSettings")["Parameters"] == {"rds.force_ssl": "1"}
    assert said["DBParameterGroupName"] == {"Ref": "DatabaseSettings"}
    assert said["VPCSecurityGroups"] == [{"Fn::GetAtt": ["DatabaseAccess", "GroupId"]}]
    assert "MasterUserPassword" not in said
    assert [name for name in each(CONTENT["Parameters"]) if "password" in name.lower()] == []
    secrets = [item for item in RESOURCES.values() if item["Type"] == "AWS::SecretsManager::Secret"]
    assert len(secrets) == 3
    for item in secrets:
        assert "GenerateSecretString" in item["Properties"]
        assert "SecretString" not in item["Properties"]


def test_a_tag_of_an_image_is_never_pushed_twice(stack: Stack) -> None:
    found = stack.client("ecr").describe_repositories()["repositories"]

    assert {item["repositoryName"]: item["imageTagMutability"] for item in found} == {
        stack.resources["PipelineImages"]: "IMMUTABLE",
        stack.resources["ServiceImages"]: "IMMUTABLE",
    }
    assert stack.outputs["ServiceImage"] == f"{found[1]['repositoryUri']}:0.2.0"


def routes(stack: Stack, subnet: str) -> list[str]:
    """Gateways through which packets leave a subnet for other networks.

    Moto does not keep which table a stack gives to which subnet: that is read in the template.
    """
    associations = [
        item["Properties"]["RouteTableId"]["Ref"]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::EC2::SubnetRouteTableAssociation"
        and item["Properties"]["SubnetId"]["Ref"] == subnet
    ]
    if not associations:
        return []
    (table,) = stack.client("ec2").describe_route_tables(
        RouteTableIds=[stack.resources[name] for name in associations]
    )["RouteTables"]
    return [
        route.get("NatGatewayId") or route["GatewayId"]
        for route in table["Routes"]
        if route["DestinationCidrBlock"] == "0.0.0.0/0"
    ]


@pytest.mark.parametrize("zone", "AB")
def test_nodes_have_a_way_out_and_none_in_and_the_rest_has_neither(stack: Stack, zone: str) -> None:
    assert routes(stack, f"NodeSubnet{zone}") == [stack.resources["NatGateway"]]
    assert routes(stack, f"PublicSubnet{zone}") == [stack.resources["InternetGateway"]]
    for name in ("Database", "Store"):
        assert routes(stack, f"{name}Subnet{zone}") == []


@pytest.mark.parametrize(("name", "port"), [("DatabaseAccess", 5432), ("StoreAccess", 443)])
def test_database_and_object_store_are_reached_by_nodes_alone(
    stack: Stack, name: str, port: int
) -> None:
    client = stack.client("ec2")
    (group,) = client.describe_security_groups(GroupIds=[stack.resources[name]])["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    (source,) = [ip_network(item["CidrIp"]) for item in rule["IpRanges"]]

    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (port, port, "tcp")
    network = [{"Name": "vpc-id", "Values": [stack.resources["Network"]]}]
    for subnet in each(client.describe_subnets(Filters=network)["Subnets"]):
        of_nodes = subnet["SubnetId"] in (
            stack.resources["NodeSubnetA"],
            stack.resources["NodeSubnetB"],
        )
        assert ip_network(subnet["CidrBlock"]).overlaps(source) == of_nodes


def test_the_object_store_has_addresses_in_the_network(stack: Stack) -> None:
    (found,) = stack.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]

    assert found["ServiceName"] == f"com.amazonaws.{REGION}.s3"
    assert found["PrivateDnsEnabled"]
    assert set(found["SubnetIds"]) == {stack.resources[f"StoreSubnet{zone}"] for zone in "AB"}


def test_a_pod_does_not_reach_the_rights_of_its_node(stack: Stack) -> None:
    (version,) = stack.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=stack.resources["NodeTemplate"]
    )["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]

    assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True


@pytest.mark.parametrize(("role", "policy"), [("ServingRole", "serving"), ("RunsRole", "runs")])
def test_a_role_has_the_statements_of_the_object_stores_example(
    stack: Stack, role: str, policy: str
) -> None:
    """Those are enforced by an S3 in memory in test_object_store_policies.py."""
    bucket = stack.resources["Bucket"]
    expected = (POLICIES / f"{policy}.json").read_text().replace(":::trials", f":::{bucket}")
    found = [
        statement
        for statement in stack.role_policy(role, policy)["Statement"]
        if not str(statement["Action"]).count("kms:")
    ]

    assert found == json.loads(expected)["Statement"]


MODEL = "registry/ist/models/1/saved_model.pb"
SUBJECTS = subjects_root("s3://b/registry").removeprefix("s3://b/")
PREDICTIONS = f"{SUBJECTS}/ist/1/predictions.parquet"


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        (
            "ServingRole",
            {("s3:GetObject", MODEL)},
            {
                ("s3:GetObject", PREDICTIONS),
                ("s3:GetObject", "data/dm.xpt"),
                ("s3:GetObject", "runs/ist/predictions.parquet"),
                ("s3:PutObject", MODEL),
                ("s3:DeleteObject", MODEL),
                ("s3:PutObject", PREDICTIONS),
            },
        ),
        (
            "RunsRole",
            {
                *(("s3:GetObject", key) for key in (MODEL, PREDICTIONS, "data/dm.xpt", "runs/a")),
                *(("s3:PutObject", key) for key in (MODEL, PREDICTIONS, "runs/a")),
            },
            {
                ("s3:PutObject", "data/dm.xpt"),
                ("s3:DeleteObject", "data/dm.xpt"),
                ("s3:GetObject", "other/a"),
                ("s3:DeleteObjectVersion", MODEL),
                ("s3:PutObjectAcl", MODEL),
            },
        ),
    ],
)
def test_a_role_reads_and_writes_what_it_needs_and_nothing_else(
    stack: Stack,
    role: str,
    allowed: set[tuple[str, str]],
    refused: set[tuple[str, str]],
) -> None:
    policy = stack.role_policy(role, role.removesuffix("Role").lower())
    bucket = f"arn:aws:s3:::{stack.resources['Bucket']}"

    def granted(requests: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return {
            item for item in each(requests) if is_allowed(policy, item[0], f"{bucket}/{item[1]}")
        }

    assert granted(allowed) == allowed
    assert granted(refused) == set()
    for action in ("s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutBucketVersioning"):
        assert not is_allowed(policy, action, bucket)
    assert not is_allowed(policy, "s3:GetObject", f"arn:aws:s3:::others/{MODEL}")
    for action in ("secretsmanager:GetSecretValue", "iam:PassRole", "sts:AssumeRole"):
        assert not is_allowed(policy, action, "arn:aws:service:::anything")


def test_only_models_are_listed_for_the_service(stack: Stack) -> None:
    policy = stack.role_policy("ServingRole", "serving")
    bucket = f"arn:aws:s3:::{stack.resources['Bucket']}"

    listed = {
        prefix: is_allowed(policy, "s3:ListBucket", bucket, {"s3:prefix": prefix})
        for prefix in ("registry/", "registry/ist/", "", f"{SUBJECTS}/", "data/")
    }
    assert listed == {"registry/": True, "registry/ist/": True, "": False} | {
        f"{SUBJECTS}/": False,
        "data/": False,
    }


def test_the_key_is_used_through_the_object_store_alone(stack: Stack) -> None:
    arn = stack.key()
    expected = {
        ("ServingRole", "serving"): {"kms:Decrypt"},
        ("RunsRole", "runs"): {"kms:Decrypt", "kms:GenerateDataKey"},
    }
    actions = ("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt", "kms:ScheduleKeyDeletion")
    for (role, name), allowed in expected.items():
        policy = stack.role_policy(role, name)
        assert {a for a in actions if is_allowed(policy, a, arn, THROUGH_S3)} == allowed
        assert not [a for a in actions if is_allowed(policy, a, arn)]
        assert not is_allowed(policy, "kms:Decrypt", f"{arn[:-1]}x", THROUGH_S3)


def test_only_pods_of_this_account_take_the_roles(stack: Stack) -> None:
    for role in ("ServingRole", "RunsRole"):
        found = stack.client("iam").get_role(RoleName=stack.resources[role])["Role"]
        (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_no_statement_of_an_own_policy_is_open() -> None:
    documents = [
        policy["PolicyDocument"]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::IAM::Role"
        for policy in item["Properties"].get("Policies", [])
    ]
    assert len(documents) == 2
    for statement in each(item for document in documents for item in document["Statement"]):
        if statement["Effect"] == "Allow":
            assert "*" not in json.dumps(statement["Action"])
            assert statement["Resource"] != "*"


def test_the_cluster_is_closed_but_for_named_addresses_and_its_secrets_are_encrypted() -> None:
    said = properties("Cluster")

    assert said["ResourcesVpcConfig"]["PublicAccessCidrs"] == {"Ref": "ApiAddresses"}
    assert "Default" not in CONTENT["Parameters"]["ApiAddresses"]
    assert said["EncryptionConfig"][0]["Resources"] == ["secrets"]
    assert said["AccessConfig"]["BootstrapClusterCreatorAdminPermissions"] is False
    assert said["DeletionProtection"] is True
    # Without it the manifests' network policies have no effect.
    settings = json.loads(properties("NetworkAddOn")["ConfigurationValues"])
    assert settings == {"enableNetworkPolicy": "true"}


def test_roles_go_to_the_service_accounts_of_the_manifests() -> None:
    accounts = {
        "ServingIdentity": SERVICE / "base" / "deployment.yaml",
        "RunsIdentity": REPOSITORY / "kubeflow" / "manifests" / "base" / "service-accounts.yaml",
    }
    for name, path in accounts.items():
        named = {
            item["metadata"]["name"]
            for item in yaml.safe_load_all(path.read_text())
            if item["kind"] == "ServiceAccount"
        }
        assert properties(name)["ServiceAccount"] in named


def test_what_holds_data_is_kept_when_the_stack_is_deleted() -> None:
    kept = {name for name, item in RESOURCES.items() if item.get("DeletionPolicy") == "Retain"}

    assert kept == {"Bucket", "Key", "PipelineImages", "ServiceImages", "SubjectKey"}
    for name in kept | {"Database"}:
        assert RESOURCES[name]["UpdateReplacePolicy"] == RESOURCES[name]["DeletionPolicy"]


def chart_values(stack: Stack) -> dict[str, Any]:
    return dict(json.loads(stack.outputs["ChartValues"]))


def test_the_outputs_are_values_of_the_chart(stack: Stack) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for key, value in chart_values(stack).items():
        values[key] = {**values[key], **value} if isinstance(value, dict) else value
    values["ingress"]["host"] = "trials.example.org"

    jsonschema.validate(values, json.loads((CHART / "values.schema.json").read_text()))
    assert values["registry"] == stack.outputs["RegistryRoot"]
    assert values["objectStore"]["endpoint"] == ""


def test_a_pod_may_reach_the_object_store_and_the_agent_of_its_role_alone(stack: Stack) -> None:
    store, agent = chart_values(stack)["registryAddresses"]
    found = stack.client("ec2").describe_subnets(
        SubnetIds=[stack.resources[f"StoreSubnet{zone}"] for zone in "AB"]
    )["Subnets"]

    networks = [ip_network(item["CidrBlock"]) for item in found]
    assert sum(item.num_addresses for item in networks) == ip_network(store["cidr"]).num_addresses
    assert all(item.subnet_of(ip_network(store["cidr"])) for item in networks)  # type: ignore[arg-type]
    assert agent == {"cidr": "169.254.170.23/32", "port": 80}


def _ways(policy: dict[str, Any]) -> set[tuple[str, int]]:
    """Addresses and ports that a policy lets its pods reach."""
    return {
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
    }


def test_tasks_may_reach_object_store_database_and_the_agent_of_their_role(stack: Stack) -> None:
    text = (MANIFESTS / "components" / "aws" / "network-policies.yaml").read_text()
    tasks, migration = yaml.safe_load_all(text)
    store, agent = chart_values(stack)["registryAddresses"]
    of_database = [RESOURCES[f"DatabaseSubnet{zone}"]["Properties"]["CidrBlock"] for zone in "AB"]
    [database] = collapse_addresses(map(IPv4Network, of_database))

    to_database = (str(database), 5432)
    assert _ways(tasks) == {*((item["cidr"], item["port"]) for item in (store, agent)), to_database}
    assert _ways(migration) == {to_database}
    assert tasks["spec"]["podSelector"]["matchLabels"] == {
        "pipelines.kubeflow.org/v2_component": "true"
    }


@pytest.mark.slow
def test_kubernetes_knows_the_policies_for_aws_and_the_pods_that_they_are_for() -> None:
    text = (MANIFESTS / "components" / "aws" / "network-policies.yaml").read_text()
    policies = list(yaml.safe_load_all(text))
    assert [complaints(item) for item in policies] == [[], []]
    labels = policies[1]["spec"]["podSelector"]["matchLabels"].items()
    pods = dict(pod_templates(objects(STANDALONE)))
    assert labels <= pods["Job/trial-store-migration"]["metadata"]["labels"].items()


@pytest.mark.slow
def test_helm_renders_the_outputs(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(stack.outputs["ChartValues"])

    given = (f"--values={path}", "--set=ingress.host=trials.example.org")
    ran = helm("template", RELEASE, CHART, f"--kube-version={kubernetes_release()}", *given)

    assert ran.returncode == 0, ran.stderr
    assert f"image: {stack.outputs['ServiceImage']}" in ran.stdout
    assert stack.outputs["RegistryRoot"] in ran.stdout
    assert "AWS_ENDPOINT_URL" not in ran.stdout
