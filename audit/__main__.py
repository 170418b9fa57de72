"""Check every deployed IAM policy against AWS's tables of actions, resources and condition keys.

    make audit

A misspelt action, a resource that an action does not have or a condition key that it never gets is valid JSON, deploys,
and denies (or allows) without an error. parliament contains AWS's own tables. Also tried: checkov (a hundred packages,
and it contacts its vendor), cfripper (cannot read a condition with Fn::If).

It needs the packages of audit/requirements.txt, which `make audit` installs into an environment of their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from terminal.command import Parser, run
from tests.templates import ROOT, load_template

WRONG_ABOUT = {
    # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html: every action has this key.
    ("UNKNOWN_CONDITION_FOR_ACTION", "Unknown condition lambda:SourceFunctionArn for action sts:AssumeRole"),
}
"""Findings in which parliament is wrong. An entry that it does not report any more is also an error."""

ABOUT_RESOURCES = {"INVALID_ARN", "RESOURCE_MISMATCH", "RESOURCE_STAR"}
"""Ignored in templates, where resources are functions that only CloudFormation can resolve."""


def policies() -> Iterator[tuple[str, dict[str, Any]]]:
    """The place and the document of every identity policy; trust policies are in tests/test_trust_matrix.py."""
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
    """Replace functions of CloudFormation with a star, and Fn::If with its first branch."""
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        return _resolved(value["Fn::If"][1])
    if any(key == "Ref" or key.startswith("Fn::") for key in value):
        return "*"
    return {key: _resolved(item) for key, item in value.items()}


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 if there are findings."""
    parser = Parser("python -m audit", __doc__)
    parser.parse_args(arguments)
    try:
        from parliament import analyze_policy_string
    except ModuleNotFoundError:
        parser.error("parliament is not in this environment, but in that of: make audit")
    audited, wrong_about = 0, set()
    findings = []
    for where, document in policies():
        audited += 1
        for finding in analyze_policy_string(json.dumps(document), ignore_private_auditors=True).findings:
            known = (finding.issue, str(finding.detail))
            if known in WRONG_ABOUT:
                wrong_about.add(known)
            elif "template" not in where or finding.issue not in ABOUT_RESOURCES:
                findings.append(f"{where}: {finding.issue}: {finding.detail or ''} {finding.location}")
    findings += [
        f"audit: not reported any more, delete it from WRONG_ABOUT: {known}" for known in WRONG_ABOUT - wrong_about
    ]
    sys.stdout.write("\n".join([*findings, f"{audited} policies audited, {len(findings)} findings.\n"]))
    return int(bool(findings))


if __name__ == "__main__":
    run(main)
