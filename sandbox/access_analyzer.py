"""IAM Access Analyzer, which moto lacks: what checks ask of it, and making analyzers, also for the organization."""

from collections import defaultdict
from typing import Any

from sandbox.aws_errors import not_found
from sandbox.inventory.identity import analyzer_of

Answer = dict[str, Any]
_WHEN = "2026-01-01T00:00:00Z"


_made: defaultdict[tuple[str, str], dict[str, Answer]] = defaultdict(dict)
"""By account and region, and then by name."""


def create_analyzer(account: str, region: str, asked: Answer) -> Answer:
    """Of any type; that of the organization does not look at who may make it. It finds nothing."""
    about = _about(account, region, asked["analyzerName"], asked["type"])
    _made[account, region][asked["analyzerName"]] = about
    return {"arn": about["arn"]}


def list_analyzers(account: str, region: str, asked: Answer) -> Answer:
    """With `type` in the query those of a type."""
    own = analyzer_of(account, region)
    of_inventory = [_about(account, region, own.name, "ACCOUNT")] if own else []
    found = [*of_inventory, *_made[account, region].values()]
    return {"analyzers": [one for one in found if asked.get("type", one["type"]) == one["type"]]}


def list_findings_v2(account: str, region: str, asked: Answer) -> Answer:
    """Filtered by the status alone."""
    analyzers = list_analyzers(account, region, {})["analyzers"]
    if asked.get("analyzerArn") not in [one["arn"] for one in analyzers]:
        raise not_found("The specified analyzer could not be found.")
    own = analyzer_of(account, region)
    findings = own.findings if own and asked["analyzerArn"] == analyzers[0]["arn"] else {}
    wanted = asked.get("filter", {}).get("status", {}).get("eq", ["ACTIVE", "ARCHIVED", "RESOLVED"])
    found = [
        {
            "id": f"00000000-0000-0000-0000-{number:012}",
            "resource": resource,
            "resourceType": "AWS::S3::Bucket",
            "resourceOwnerAccount": account,
            "findingType": "ExternalAccess",
            "status": status,
            **dict.fromkeys(("analyzedAt", "createdAt", "updatedAt"), _WHEN),
        }
        for number, (resource, is_active) in enumerate(findings.items())
        if (status := "ACTIVE" if is_active else "ARCHIVED") in wanted
    ]
    return {"findings": found}


def _about(account: str, region: str, name: str, kind: str) -> Answer:
    arn = f"arn:aws:access-analyzer:{region}:{account}:analyzer/{name}"
    return {"arn": arn, "name": name, "type": kind, "status": "ACTIVE", "createdAt": _WHEN}


ANSWERS = {"CreateAnalyzer": create_analyzer, "ListAnalyzers": list_analyzers, "ListFindingsV2": list_findings_v2}
"""By operation."""
