from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from chalicelib.account import Account
from chalicelib.check import check, field

PAGE_SIZE = 1000
"""Buckets per ListBuckets call. S3 refuses unpaginated calls above a quota of 10,000 buckets, and names a bucket's
region only in paginated ones."""


@check(actions=["s3:ListAllMyBuckets"])
def s3_buckets(account: Account, *, prefix: str = "") -> dict[str, Any]:
    """List the account's buckets: name, creation date and region."""
    s3 = account.client("s3")
    asked: dict[str, Any] = {"MaxBuckets": PAGE_SIZE}
    if prefix:
        asked["Prefix"] = prefix
    first = s3.list_buckets(**asked)
    more: Iterable[dict[str, Any]] = ()
    # Hardly an account has a second page, and to make a paginator costs a third of a call.
    if token := first.get("ContinuationToken"):
        more = s3.get_paginator("list_buckets").paginate(**asked, ContinuationToken=token)
    return summary(bucket for page in chain([first], more) for bucket in field(page, "Buckets"))


def summary(buckets: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Make the answer of S3's own list of buckets."""
    found = [
        {
            "name": field(bucket, "Name"),
            "created": field(bucket, "CreationDate").isoformat(),
            "region": bucket.get("BucketRegion"),
        }
        for bucket in buckets
    ]
    return {"count": len(found), "buckets": found}
