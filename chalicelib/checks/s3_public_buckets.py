from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import CouldNotLook, Finding, Findings, Response, alarm, each, looked, ok, skip
from chalicelib.checks.s3_account_block import account_block
from chalicelib.checks.s3_buckets import PAGE_SIZE
from chalicelib.cross_account import Account
from chalicelib.cross_account.aws_errors import code_of

EVERYBODY = frozenset(f"http://acs.amazonaws.com/groups/global/{name}" for name in ("AllUsers", "AuthenticatedUsers"))
REGION_OFF = frozenset({"InvalidToken", "InvalidAccessKeyId"})
"""What S3 says of a valid session in a region that the account has not enabled, or no longer."""

NONE = frozenset({"NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy"})

Answers = Sequence[Any]
"""AWS's to a question, or a CouldNotLook; empty: there is no such thing, or it does not matter."""


@check(
    actions=[
        "s3:ListAllMyBuckets",
        "s3:GetAccountPublicAccessBlock",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketAcl",
    ],
    scope="global",
    group="data",
)
def s3_public_buckets(account: Account) -> Findings:
    """Find buckets that their policy or ACL makes public, and no Block Public Access of bucket or account prevents it.

    ACLs of single objects and policies of access points are not looked at.

    Controls: CIS 7: 2.21; FSBP: S3.3.
    """
    buckets = from_pages(account.pages("s3", "list_buckets", MaxBuckets=PAGE_SIZE), "Buckets")
    regions = {require_field(bucket, "Name"): bucket.get("BucketRegion") for bucket in buckets}
    if not regions:
        yield skip(account.id, "There are no buckets here.")
        return
    blocks = [*looked(account.id, lambda: [account_block(account)])]
    if _prevents("RestrictPublicBuckets", blocks) and _prevents("IgnorePublicAcls", blocks):
        yield from (ok(name, "Block Public Access of the account prevents it.") for name in regions)
    else:
        yield from each(regions, str, lambda name: [_look(account, name, regions[name], blocks)], account.id)


def _look(account: Account, name: str, region: str | None, blocks: Answers) -> Finding | CouldNotLook:
    """Ask what no block makes needless, and judge it."""
    s3 = account.client("s3", region)  # other regions' endpoints redirect

    def ask(call: Callable[..., Any], field: str) -> Answers:
        try:
            answers = [*looked(name, lambda: [require_field(call(Bucket=name), field)])]
        except ClientError as error:
            if region in (None, account.region) or code_of(error) not in REGION_OFF:
                raise
            return [CouldNotLook(name, error)]
        return [one for one in answers if not (isinstance(one, CouldNotLook) and code_of(one.error) in NONE)]

    blocks = [*blocks, *ask(s3.get_public_access_block, "PublicAccessBlockConfiguration")]
    policy = [] if _prevents("RestrictPublicBuckets", blocks) else ask(s3.get_bucket_policy_status, "PolicyStatus")
    acl = [] if _prevents("IgnorePublicAcls", blocks) else ask(s3.get_bucket_acl, "Grants")
    return judge(name, blocks, policy, acl)


def judge(name: str, blocks: Answers, policy: Answers, acl: Answers) -> Finding | CouldNotLook:
    """Judge a bucket.

    Args:
        name: of the bucket.
        blocks: the Block Public Access of the account and of the bucket.
        policy: the status of its policy.
        acl: the grants of its ACL.
    """
    public = [
        *("policy" for status in _known(policy) if require_field(status, "IsPublic")),
        *("ACL" for grants in _known(acl) if any(_is_public(grant) for grant in grants)),
    ]
    # what is public could still be prevented by a block that is not known; what is not needs no block
    for one in blocks if public else (*policy, *acl):
        if isinstance(one, CouldNotLook):
            return CouldNotLook(name, one.error)
    if public:
        return alarm(name, f"It is public by its {' and its '.join(public)}.")
    return ok(name, "Neither its policy nor its ACL makes it public.")


def _is_public(grant: Response) -> bool:
    return require_field(grant, "Grantee").get("URI") in EVERYBODY


def _prevents(setting: str, blocks: Answers) -> bool:
    return any(block.get(setting) for block in _known(blocks))


def _known(answers: Answers) -> list[Any]:
    return [one for one in answers if not isinstance(one, CouldNotLook)]
