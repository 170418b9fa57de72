"""`make audit`: hold every IAM policy that is deployed against what AWS knows of actions, resources and conditions.

A misspelt action, a resource that an action cannot have or a condition key that it never sees is valid JSON, deploys,
and denies (or allows) in silence. parliament has AWS's own tables of them. What was tried beside it: checkov (a hundred
packages, and it calls home), cfripper (cannot read a condition written with Fn::If).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from parliament import analyze_policy_string

from tests.templates import ROOT, load_template

WRONG_ABOUT = {
    # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html: every action sees it.
    ("UNKNOWN_CONDITION_FOR_ACTION", "Unknown condition lambda:SourceFunctionArn for action sts:AssumeRole"),
}
"""What parliament does not know. An entry that it no longer reports is an error as well."""

ABOUT_RESOURCES = {"INVALID_ARN", "RESOURCE_MISMATCH", "RESOURCE_STAR"}
"""Not asked of templates, whose resources are functions that only CloudFormation can work out."""


def policies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every identity policy of the project, by where it stands. Trust policies name no resource: tests judge those."""
    for path in sorted((ROOT / ".chalice").glob("policy*.json")):
        yield path.name, json.loads(path.read_text())
    for path in sorted(ROOT.glob("*-template.yaml")):
        for number, document in enumerate(_documents(load_template(path.name)["Resources"]), 1):
            yield f"{path.name}, policy {number}", document


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("PolicyDocument"), dict):
            document = _resolved(value["PolicyDocument"])
            if not any("Principal" in statement for statement in document["Statement"]):
                yield document
        for item in value.values():
            yield from _documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from _documents(item)


def _resolved(value: Any) -> Any:
    """A star for whatever CloudFormation works out, and of two branches the first."""
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        return _resolved(value["Fn::If"][1])
    if any(key == "Ref" or key.startswith("Fn::") for key in value):
        return "*"
    return {key: _resolved(item) for key, item in value.items()}


def main() -> int:
    """The exit status: 1 if there is something to mend."""
    judged, wrong_about = 0, set()
    complaints = []
    for where, document in policies():
        judged += 1
        for finding in analyze_policy_string(json.dumps(document), ignore_private_auditors=True).findings:
            known = (finding.issue, str(finding.detail))
            if known in WRONG_ABOUT:
                wrong_about.add(known)
            elif "template" not in where or finding.issue not in ABOUT_RESOURCES:
                complaints.append(f"{where}: {finding.issue}: {finding.detail or ''} {finding.location}")
    complaints += [f"audit: no longer reported, take it out: {known}" for known in WRONG_ABOUT - wrong_about]
    sys.stdout.write("\n".join([*complaints, f"{judged} policies audited, {len(complaints)} complaints.\n"]))
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
