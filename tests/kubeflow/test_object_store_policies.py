"""The example policies of a bucket, enforced by an S3 in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from pipeline.runs.divisions import subjects_root

FOLDER = Path(__file__).parents[2] / "kubeflow" / "object-store"
BUCKET = "trials"
MODEL = "registry/ist/models/1/saved_model.pb"
SUBJECTS = subjects_root(f"s3://{BUCKET}/registry").removeprefix(f"s3://{BUCKET}/")
PREDICTIONS = f"{SUBJECTS}/ist/1/predictions.parquet"
_PREPARING = 6
"""Requests of `as_role` before rights count."""


def as_role(policy: str) -> Any:
    """A client of the bucket whose rights are those of a policy."""
    made = boto3.client("iam", region_name="us-east-1")
    made.create_user(UserName=policy)
    content = (FOLDER / f"{policy}.json").read_text()
    made.put_user_policy(UserName=policy, PolicyName=policy, PolicyDocument=content)
    key = made.create_access_key(UserName=policy)["AccessKey"]
    bucket = boto3.client("s3", region_name="us-east-1")
    bucket.create_bucket(Bucket=BUCKET)
    for name in (MODEL, PREDICTIONS):
        bucket.put_object(Bucket=BUCKET, Key=name, Body=b"content")
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


@pytest.fixture(autouse=True)
def own_cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "unused")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@set_initial_no_auth_action_count(_PREPARING)
def test_what_serves_models_reads_models_and_nothing_of_the_subjects() -> None:
    server = as_role("serving")

    assert server.get_object(Bucket=BUCKET, Key=MODEL)["ContentLength"] > 0
    with pytest.raises(ClientError, match="AccessDenied"):
        server.get_object(Bucket=BUCKET, Key=PREDICTIONS)
    with pytest.raises(ClientError, match="AccessDenied"):
        server.put_object(Bucket=BUCKET, Key=MODEL, Body=b"other")


@set_initial_no_auth_action_count(_PREPARING)
def test_runs_read_and_write_both_and_no_other_part_of_the_bucket() -> None:
    run = as_role("runs")

    for key in (MODEL, PREDICTIONS):
        run.put_object(Bucket=BUCKET, Key=key, Body=b"other")
        assert run.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"other"
    with pytest.raises(ClientError, match="AccessDenied"):
        run.get_object(Bucket=BUCKET, Key="registry-of-others/ist/saved_model.pb")
    with pytest.raises(ClientError, match="AccessDenied"):
        run.put_object(Bucket=BUCKET, Key="data/dm.xpt", Body=b"other")


def test_the_listing_for_what_serves_models_is_of_the_registry_alone() -> None:
    """The prefix of the subjects begins like that of the models, but for the slash."""
    statements = json.loads((FOLDER / "serving.json").read_text())["Statement"]
    (listing,) = (item for item in statements if item["Action"] == "s3:ListBucket")

    assert listing["Condition"] == {"StringLike": {"s3:prefix": "registry/*"}}
    assert not SUBJECTS.startswith("registry/")
