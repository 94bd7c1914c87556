"""Objects of an S3-compatible store, by boto3 alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

S3 = "s3://"


def s3_client() -> Any:
    """The one client of an S3-compatible store; Beam makes one for each operation, slowly."""
    return _client_of(os.environ.get("AWS_ENDPOINT_URL", ""))


@cache
def _client_of(endpoint: str) -> Any:
    del endpoint  # boto3 reads it itself; another one is another client.
    import boto3

    return boto3.client("s3")


def read_object(path: str) -> bytes | None:
    """Content of an object, or None if it does not exist."""
    bucket, _, key = path.removeprefix(S3).partition("/")
    client = s3_client()
    try:
        return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except client.exceptions.NoSuchKey:
        return None


def write_object(path: str, content: bytes) -> None:
    """Writes an object; it becomes visible when it is complete."""
    bucket, _, key = path.removeprefix(S3).partition("/")
    s3_client().put_object(Bucket=bucket, Key=key, Body=content)


def remove_object(path: str) -> None:
    """Removes an object, if it exists."""
    bucket, _, key = path.removeprefix(S3).partition("/")
    s3_client().delete_object(Bucket=bucket, Key=key)


def objects_below(folder: str) -> Iterator[str]:
    """Paths of all objects below an address, relative to it."""
    bucket, _, key = folder.removeprefix(S3).partition("/")
    prefix = f"{key}/" if key else ""
    pages = s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for found in page.get("Contents", ()):
            # A store's own pages make an object of this name for an empty folder.
            if not found["Key"].endswith("/"):
                yield found["Key"].removeprefix(prefix)
