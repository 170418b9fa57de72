from __future__ import annotations

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, ok, or_skip
from chalicelib.cross_account import Account


@check(actions=["rds:DescribeDBInstances"], group="data")
def rds_exposure(account: Account) -> Findings:
    """Find database instances that are publicly accessible, or whose storage is not encrypted.

    Those of Aurora, DocumentDB and Neptune too.

    Controls: CIS 5: 2.2.1, 2.2.3; CIS 7: 3.2.1, 3.2.3; FSBP: RDS.2, RDS.3.
    """
    instances = from_pages(account.pages("rds", "describe_db_instances"), "DBInstances")
    return or_skip(map(judge, instances), account.id, "There are no database instances here.")


def judge(instance: Response) -> Finding:
    """Judge a database instance, as RDS describes it."""
    resource, engine = require_field(instance, "DBInstanceArn"), instance.get("Engine")
    public = require_field(instance, "PubliclyAccessible")
    encrypted = require_field(instance, "StorageEncrypted")
    if public and not encrypted:
        return alarm(resource, "It is publicly accessible, and its storage is not encrypted.", engine=engine)
    if public:
        return alarm(resource, "It is publicly accessible.", engine=engine)
    if not encrypted:
        return alarm(resource, "Its storage is not encrypted.", engine=engine)
    return ok(resource, "It is not publicly accessible, and its storage is encrypted.", engine=engine)
