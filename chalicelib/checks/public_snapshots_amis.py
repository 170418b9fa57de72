from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, each, looked, ok, skip
from chalicelib.cross_account import Account


class Databases(NamedTuple):
    """What RDS calls their snapshots, and whether one is encrypted."""

    kind: str
    name: str
    operation: str
    encrypted: str


INSTANCES = Databases("RDS snapshot", "DBSnapshot", "describe_db_snapshot", "Encrypted")
CLUSTERS = Databases("RDS cluster snapshot", "DBClusterSnapshot", "describe_db_cluster_snapshot", "StorageEncrypted")


@check(
    actions=[
        "ec2:DescribeSnapshots",
        "ec2:DescribeImages",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBSnapshotAttributes",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBClusterSnapshotAttributes",
    ],
    group="data",
)
def public_snapshots_amis(account: Account) -> Findings:
    """Find the account's own EBS snapshots, AMIs and RDS snapshots that are shared with every AWS account.

    EC2 lists the public ones alone, so that its private ones have one finding together. RDS has snapshots of instances,
    and of clusters such as Aurora's.

    Controls: FSBP: EC2.1, RDS.1.
    """
    yield from looked(account.id, lambda: judge("EBS snapshot", _snapshots(account), account.id))
    yield from looked(account.id, lambda: judge("AMI", _images(account), account.id))
    for databases in INSTANCES, CLUSTERS:
        yield from looked(account.id, partial(_database_snapshots, account, databases))


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


def _database_snapshots(account: Account, databases: Databases) -> Findings:
    """The manual ones: no others can be shared."""
    pages = account.pages("rds", f"{databases.operation}s", SnapshotType="manual")
    snapshots = [*from_pages(pages, f"{databases.name}s")]
    if not snapshots:
        yield skip(account.id, f"There are no manual {databases.kind}s here.", kind=databases.kind)
    arn = f"{databases.name}Arn"
    for one in snapshots:
        if require_field(one, databases.encrypted):  # AWS makes none of these public: there is nothing to ask
            yield ok(require_field(one, arn), "It is encrypted, and so cannot be public.", kind=databases.kind)
    plain = (one for one in snapshots if not one[databases.encrypted])
    yield from each(
        plain, lambda one: require_field(one, arn), lambda one: [_look(account, databases, one)], account.id
    )


def _look(account: Account, databases: Databases, snapshot: Response) -> Finding:
    ask, name = getattr(account.client("rds"), f"{databases.operation}_attributes"), f"{databases.name}Identifier"
    answer = require_field(ask(**{name: require_field(snapshot, name)}), f"{databases.name}AttributesResult")
    attributes = answer.get(f"{databases.name}Attributes", ())
    return judge_database_snapshot(snapshot[f"{databases.name}Arn"], databases.kind, attributes)


def judge_database_snapshot(resource: str, kind: str, attributes: Iterable[Response]) -> Finding:
    """Judge one that is not encrypted by its attributes, of which AWS leaves out what was never set."""
    if any(one.get("AttributeName") == "restore" and "all" in one.get("AttributeValues", ()) for one in attributes):
        return alarm(resource, "It is shared with every AWS account.", kind=kind)
    return ok(resource, "It is not public.", kind=kind)
