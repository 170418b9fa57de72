from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.cross_account import Account

PAGE_SIZE = 1000
"""Buckets per ListBuckets call. S3 refuses unpaginated calls above a quota of 10,000 buckets, and names a bucket's
region only in paginated ones."""


@check(actions=["s3:ListAllMyBuckets"], scope="global")
def s3_buckets(account: Account, *, prefix: str = "") -> dict[str, Any]:
    """List the account's buckets: name, creation date and region."""
    request: dict[str, Any] = {"MaxBuckets": PAGE_SIZE}
    if prefix:
        request["Prefix"] = prefix
    pages = account.pages("s3", "list_buckets", **request)
    return summary(from_pages(pages, "Buckets"))


def summary(buckets: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Read S3's own list of buckets."""
    found = [
        {
            "name": require_field(bucket, "Name"),
            "created": require_field(bucket, "CreationDate").isoformat(),
            "region": bucket.get("BucketRegion"),
        }
        for bucket in buckets
    ]
    return {"count": len(found), "buckets": found}
