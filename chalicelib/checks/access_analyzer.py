from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, looked, ok
from chalicelib.checks.organization import Organization
from chalicelib.cross_account import Account

OF_EXTERNAL_ACCESS = frozenset({"ACCOUNT", "ORGANIZATION"})
"""The types of analyzers that count. Those of unused and of internal access answer other questions."""

NONE_SHARED = "The account that lists the organization has none for all; another one's would not be seen."

MAX_FINDINGS = 1000
"""Of an analyzer, no more are counted."""


@check(actions=["access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"], group="identity")
def access_analyzer(account: Account, organization: Organization) -> Findings:
    """Find regions in which no analyzer, of the account or of its organization, watches for access from outside.

    Also counts the active findings of the account's own analyzers.

    Controls: CIS 5: 1.19; CIS 7: 2.18.
    """
    listed = from_pages(account.pages("accessanalyzer", "list_analyzers"), "analyzers")
    analyzers = [analyzer for analyzer in listed if require_field(analyzer, "type") in OF_EXTERNAL_ACCESS]
    yield judge(account.id, account.region, analyzers, organization)
    for arn in _active(analyzers):
        yield from looked(arn, partial(_findings, account, arn))


def _findings(account: Account, arn: str) -> Iterator[Finding]:
    active = {"status": {"eq": ["ACTIVE"]}}
    pages = account.pages("accessanalyzer", "list_findings_v2", analyzerArn=arn, filter=active)
    yield judge_findings(arn, sum(1 for _ in islice(from_pages(pages, "findings"), MAX_FINDINGS)))


def judge(account_id: str, region: str, analyzers: Sequence[Response], organization: Organization) -> Finding:
    """Judge an account in a region.

    Args:
        account_id, region: which.
        analyzers: its own ones of external access there. It does not see those that another account has for all.
        organization: whose analyzers count for its accounts.
    """
    active = _active(analyzers)
    if active:
        return ok(account_id, "An analyzer of external access is active here.", analyzer=active[0])
    limits = organization.limits
    if organization.has(account_id):
        shared = organization.analyzers(region)
        if shared:
            return ok(account_id, "An analyzer of the organization is active here.", analyzer=shared[0])
        limits = "The organization's analyzers could not be read." if shared is None else NONE_SHARED
    statuses = ", ".join(sorted(analyzer["status"] for analyzer in analyzers))
    seen = f"No analyzer of external access is active here{statuses and f', only {statuses}'}."
    return alarm(account_id, f"{seen} {limits}".rstrip(), analyzer=None)


def judge_findings(arn: str, number: int) -> Finding:
    """Judge an analyzer by the number of its active findings, of which MAX_FINDINGS are counted."""
    if not number:
        return ok(arn, "It has no active findings.", findings=number)
    at_least = "at least " if number == MAX_FINDINGS else ""
    return info(arn, f"It has active findings of access from outside: {at_least}{number:,}.", findings=number)


def _active(analyzers: Sequence[Response]) -> list[str]:
    """The ARNs of those that are."""
    return [require_field(one, "arn") for one in analyzers if require_field(one, "status") == "ACTIVE"]
