"""Which IAM action an API operation needs, for every service but S3 (see s3.py).

Nearly all have the operation's name. An operation that AWS's list does not have keeps its own name, with an unknown
resource: only a policy for all of the service's actions on all resources allows it.
"""

from functools import cache

from sandbox.requested_access.data import actions_of
from sandbox.requested_access.request import Request, model_of

# Services whose actions have neither the prefix of their signatures nor boto3's name.
_PREFIXES = {"apigatewaymanagementapi": "execute-api", "iot-data": "iot", "resourcegroupstaggingapi": "tag"}

# Each from the service's page in the Service Authorization Reference or from its API reference.
_OTHER_NAMES = {
    "access-analyzer:GetFindingV2": "GetFinding",
    "access-analyzer:ListFindingsV2": "ListFindings",
    "bedrock:Converse": "InvokeModel",
    "bedrock:ConverseStream": "InvokeModelWithResponseStream",
    "bedrock:InvokeModelWithBidirectionalStream": "InvokeModelWithResponseStream",
    "bedrock:StartAsyncInvoke": "InvokeModel",
    "budgets:CreateBudget": "ModifyBudget",
    "budgets:CreateNotification": "ModifyBudget",
    "budgets:CreateSubscriber": "ModifyBudget",
    "budgets:DeleteBudget": "ModifyBudget",
    "budgets:DeleteNotification": "ModifyBudget",
    "budgets:DeleteSubscriber": "ModifyBudget",
    "budgets:DescribeBudget": "ViewBudget",
    "budgets:DescribeBudgetNotificationsForAccount": "ViewBudget",
    "budgets:DescribeBudgetPerformanceHistory": "ViewBudget",
    "budgets:DescribeBudgets": "ViewBudget",
    "budgets:DescribeNotificationsForBudget": "ViewBudget",
    "budgets:DescribeSubscribersForNotification": "ViewBudget",
    "budgets:UpdateBudget": "ModifyBudget",
    "budgets:UpdateNotification": "ModifyBudget",
    "budgets:UpdateSubscriber": "ModifyBudget",
    "cloudfront:CreateDistributionWithTags": "CreateDistribution",
    "dms:DescribeDataProviders": "ListDataProviders",
    "dms:DescribeExtensionPackAssociations": "ListExtensionPacks",
    "dms:DescribeInstanceProfiles": "ListInstanceProfiles",
    "dms:DescribeMigrationProjects": "ListMigrationProjects",
    "dms:ModifyDataProvider": "UpdateDataProvider",
    "dms:ModifyInstanceProfile": "UpdateInstanceProfile",
    "dms:ModifyMigrationProject": "UpdateMigrationProject",
    "lambda:GetLayerVersionByArn": "GetLayerVersion",
    "lambda:Invoke": "InvokeFunction",
    "lambda:InvokeAsync": "InvokeFunction",
    "lambda:InvokeWithResponseStream": "InvokeFunction",
    "s3:DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
    "s3:GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "s3:PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    "sns:PublishBatch": "Publish",
    "sqs:ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "DeleteMessage",
    "sqs:SendMessageBatch": "SendMessage",
    "timestream:Query": "Select",
}


@cache
def prefix_of(service: str) -> str:
    """The prefix of a service's actions, from boto3's name of it."""
    model = model_of(service)
    if service in _PREFIXES or model is None:
        return _PREFIXES.get(service, service)
    signing = str(model.signing_name)
    return service if not actions_of(signing) and actions_of(service) else signing


@cache
def name_of(service: str, operation: str) -> str:
    """The action of an operation, with its prefix."""
    prefix = prefix_of(service)
    name = _OTHER_NAMES.get(f"{prefix}:{operation}", operation)
    known = actions_of(prefix).get(name.lower())
    return f"{prefix}:{known['name'] if known else name}"


def action_of(request: Request) -> str:
    """The IAM action, such as lambda:InvokeFunction for the API's Invoke."""
    prefix = prefix_of(request.service)
    if prefix == "apigateway":
        return f"apigateway:{request.method}"  # this service's actions are HTTP methods
    if prefix == "execute-api":
        return "execute-api:ManageConnections"
    return name_of(request.service, request.operation)
