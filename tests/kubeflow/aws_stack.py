"""The CloudFormation template, created in moto as far as moto supports it."""

from __future__ import annotations

import ast
import copy
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch

import boto3
from cfnlint.decode import decode
from moto import mock_aws

from pipeline.version import PROJECT

TEMPLATE = PROJECT / "kubeflow" / "aws" / "template.yaml"
REGION = "us-east-1"
NAME = "trials"
PARAMETERS = {
    "KubernetesVersion": "1.35",
    "Administrator": "arn:aws:iam::123456789012:role/administrator",
    "ApiAddresses": "203.0.113.0/24",
    "Study": "ist",
}


@dataclass(frozen=True)
class Stack:
    """A stack in moto.

    Attributes:
        resources: What was made: the physical id of each resource, by its name in the template.
        outputs: Values of the outputs.
    """

    resources: Mapping[str, str]
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A client of a service, for reading what was made."""
        return boto3.client(service, region_name=REGION)

    def role_policy(self, role: str, policy: str) -> dict[str, Any]:
        """A policy of a role, as IAM has it."""
        client = self.client("iam")
        found = client.get_role_policy(RoleName=self.resources[role], PolicyName=policy)
        # Moto writes what a stack gives it as Python does.
        return dict(ast.literal_eval(found["PolicyDocument"]))

    def key(self) -> str:
        """ARN of the one key."""
        (found,) = self.client("kms").list_keys()["Keys"]
        assert found["KeyId"] == self.resources["Key"]
        return str(found["KeyArn"])


def template() -> dict[str, Any]:
    """The template, with its functions in their long form."""
    content, faults = decode(str(TEMPLATE))
    assert not faults
    return dict(json.loads(json.dumps(content)))


def template_for_moto() -> dict[str, Any]:
    """The template without two references that moto does not resolve.

    It knows no secret of a database that RDS manages, and takes no reference to a group of
    settings.
    """
    content = copy.deepcopy(template())
    del content["Outputs"]["StoreOwnerSecret"]
    del content["Resources"]["Database"]["Properties"]["DBParameterGroupName"]
    return content


@contextmanager
def created() -> Iterator[Stack]:
    """Creates the stack in memory."""
    variables = {"AWS_ACCESS_KEY_ID": "unused", "AWS_SECRET_ACCESS_KEY": "unused"}
    with (
        patch.dict("os.environ", variables),
        mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Tried to parse", UserWarning)
        client = boto3.client("cloudformation", region_name=REGION)
        client.create_stack(
            StackName=NAME,
            TemplateBody=json.dumps(template_for_moto()),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = client.describe_stacks(StackName=NAME)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        made = client.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
        yield Stack(
            {
                item["LogicalResourceId"]: item["PhysicalResourceId"]
                for item in made
                if item["LogicalResourceId"]
            },
            {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]},
        )


def is_allowed(
    policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """Whether a policy allows a request: a statement that denies it has the last word.

    Args:
        policy: The policy's document.
        action: Such as `s3:GetObject`.
        resource: Its ARN.
        context: Values that conditions ask for.
    """
    effects = {
        statement["Effect"]
        for statement in policy["Statement"]
        if _fits(statement, action, resource, context or {})
    }
    return effects == {"Allow"}


def _fits(
    statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]
) -> bool:
    actions = [name.lower() for name in _several(statement["Action"])]
    conditions = statement.get("Condition", {})
    assert set(conditions) <= {"StringLike", "StringEquals"}
    return (
        any(fnmatchcase(action.lower(), name) for name in actions)
        and any(fnmatchcase(resource, pattern) for pattern in _several(statement["Resource"]))
        and all(
            fnmatchcase(context.get(key, ""), wanted)
            if kind == "StringLike"
            else context.get(key) == wanted
            for kind, keys in conditions.items()
            for key, wanted in keys.items()
        )
    )


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
