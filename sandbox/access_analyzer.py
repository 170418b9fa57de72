"""IAM Access Analyzer, which moto lacks: what checks ask of it."""

from typing import Any

from sandbox.aws_errors import not_found
from sandbox.inventory.identity import analyzer_of

Answer = dict[str, Any]
_WHEN = "2026-01-01T00:00:00Z"


def list_analyzers(account: str, region: str, asked: Answer) -> Answer:
    """With `type` in the query those of a type; all here are of type ACCOUNT."""
    analyzer = analyzer_of(account, region)
    if analyzer is None or asked.get("type", "ACCOUNT") != "ACCOUNT":
        return {"analyzers": []}
    about = {"arn": _arn(account, region, analyzer.name), "name": analyzer.name, "type": "ACCOUNT"}
    return {"analyzers": [{**about, "status": "ACTIVE", "createdAt": _WHEN}]}


def list_findings_v2(account: str, region: str, asked: Answer) -> Answer:
    """Filtered by the status alone."""
    analyzer = analyzer_of(account, region)
    if analyzer is None or asked.get("analyzerArn") != _arn(account, region, analyzer.name):
        raise not_found("The specified analyzer could not be found.")
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
        for number, (resource, is_active) in enumerate(analyzer.findings.items())
        if (status := "ACTIVE" if is_active else "ARCHIVED") in wanted
    ]
    return {"findings": found}


def _arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:access-analyzer:{region}:{account}:analyzer/{name}"


ANSWERS = {"ListAnalyzers": list_analyzers, "ListFindingsV2": list_findings_v2}
"""By operation."""
