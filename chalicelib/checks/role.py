"""What the role in a target allows beside the actions that the checks declare: role-template.yaml."""

from __future__ import annotations

DESCRIBE_REGIONS = "ec2:DescribeRegions"
"""For a sweep with "regions": "all"."""

INVOKE_MODEL = "bedrock:InvokeModel"
"""With models in BedrockModelArns."""

LIST_ORGANIZATION = (
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListParents",
    "organizations:ListTagsForResource",
)
"""With ListOrganization, where ORGANIZATION_ACCOUNT_ID is."""
