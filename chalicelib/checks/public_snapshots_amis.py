from __future__ import annotations

from collections.abc import Iterable

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, each, looked, ok, skip
from chalicelib.cross_account import Account


@check(
    actions=[
        "ec2:DescribeSnapshots",
        "ec2:DescribeImages",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBSnapshotAttributes",
    ],
    group="data",
)
def public_snapshots_amis(account: Account) -> Findings:
    """Find the account's own EBS snapshots, AMIs and RDS snapshots that are shared with every AWS account.

    EC2 lists the public ones alone, so that its private ones have one finding together. Snapshots of database clusters,
    such as Aurora's, are not looked at.

    Controls: FSBP: EC2.1, RDS.1.
    """
    yield from looked(account.id, lambda: judge("EBS snapshot", _snapshots(account), account.id))
    yield from looked(account.id, lambda: judge("AMI", _images(account), account.id))
    yield from looked(account.id, lambda: _database_snapshots(account))


def _snapshots(account: Account) -> list[str]:
    pages = account.pages("ec2", "describe_snapshots", OwnerIds=["self"], RestorableByUserIds=["all"])
    return [require_field(one, "SnapshotId") for one in from_pages(pages, "Snapshots")]


def _images(account: Account) -> list[str]:
    """The public ones. Not those that are disabled, which makes them private."""
    public = [{"Name": "is-public", "Values": ["true"]}]
    pages = account.pages("ec2", "describe_images", Owners=["self"], Filters=public)
    return [require_field(one, "ImageId") for one in from_pages(pages, "Images")]


def judge(kind: str, public: Iterable[str], account_id: str) -> list[Finding]:
    """Judge those of which EC2 lists the public ones alone, by their ids."""
    alarms = [alarm(resource, "It is shared with every AWS account.", kind=kind) for resource in public]
    return alarms or [ok(account_id, f"None of the account's own {kind}s is public.", kind=kind)]


def _database_snapshots(account: Account) -> Findings:
    """The manual ones: no others can be shared."""
    snapshots = [*from_pages(account.pages("rds", "describe_db_snapshots", SnapshotType="manual"), "DBSnapshots")]
    if not snapshots:
        yield skip(account.id, "There are no manual RDS snapshots here.", kind="RDS snapshot")
    # AWS makes no encrypted one public: there is nothing to ask
    yield from (judge_database_snapshot(one, ()) for one in snapshots if require_field(one, "Encrypted"))
    plain = (one for one in snapshots if not one["Encrypted"])
    yield from each(plain, lambda one: one["DBSnapshotArn"], lambda one: [_look(account, one)], account.id)


def _look(account: Account, snapshot: Response) -> Finding:
    name = require_field(snapshot, "DBSnapshotIdentifier")
    answer = account.client("rds").describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
    attributes = require_field(answer, "DBSnapshotAttributesResult").get("DBSnapshotAttributes", ())
    return judge_database_snapshot(snapshot, attributes)


def judge_database_snapshot(snapshot: Response, attributes: Iterable[Response]) -> Finding:
    """Judge a manual snapshot by its attributes; those of an encrypted one are not needed."""
    resource = require_field(snapshot, "DBSnapshotArn")
    if any(one.get("AttributeName") == "restore" and "all" in one["AttributeValues"] for one in attributes):
        return alarm(resource, "It is shared with every AWS account.", kind="RDS snapshot")
    if snapshot["Encrypted"]:
        return ok(resource, "It is encrypted, and so cannot be public.", kind="RDS snapshot")
    return ok(resource, "It is not public.", kind="RDS snapshot")
