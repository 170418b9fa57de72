"""What the role in a target allows beside the actions that the checks declare: role-template.yaml."""

from __future__ import annotations

DESCRIBE_REGIONS = "ec2:DescribeRegions"
"""For a sweep with "regions": "all"."""

INVOKE_MODEL = "bedrock:InvokeModel"
"""With models in BedrockModelArns."""

LIST_ANALYZERS = "access-analyzer:ListAnalyzers"
"""For Access Analyzer's analyzers of the whole organization."""

READ_UNITS = ("organizations:ListOrganizationalUnitsForParent", "organizations:ListParents")
READ_TAGS = "organizations:ListTagsForResource"
READ_ADMINISTRATORS = "organizations:ListDelegatedAdministrators"
LIST_ORGANIZATION = (
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    *READ_UNITS,
    READ_TAGS,
    READ_ADMINISTRATORS,
)
"""With ListOrganization, where ORGANIZATION_ACCOUNT_ID is."""
