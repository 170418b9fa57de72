from __future__ import annotations

from botocore.exceptions import ClientError

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, ok
from chalicelib.cross_account import Account
from chalicelib.cross_account.aws_errors import code_of, message_of


@check(actions=["securityhub:DescribeHub"], group="monitoring")
def security_hub(account: Account) -> Findings:
    """Find regions in which Security Hub is not enabled.

    Controls: CIS 5: 4.16; CIS 7: 5.16.
    """
    try:
        hub = account.client("securityhub").describe_hub()
    except ClientError as error:
        if not says_not_enabled(error):
            raise
        hub = None
    yield judge(account.id, hub)


def says_not_enabled(error: ClientError) -> bool:
    """Whether it says so: the code InvalidAccessException alone may also mean a lack of rights."""
    code = code_of(error)
    return code == "ResourceNotFoundException" or (
        code == "InvalidAccessException" and "not subscribed" in message_of(error)
    )


def judge(account_id: str, hub: Response | None) -> Finding:
    """Judge an account in a region by its hub; None: it has none."""
    if hub is None:
        return alarm(account_id, "Security Hub is not enabled here.")
    return ok(require_field(hub, "HubArn"), "Security Hub is enabled.", since=hub.get("SubscribedAt"))
