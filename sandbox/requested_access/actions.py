"""Which IAM action an API operation needs.

Nearly all have the operation's name. An operation that AWS's list does not have keeps its own name, with an unknown
resource: only a policy for all of the service's actions on all resources allows it.
"""

from functools import cache

from sandbox.requested_access import s3
from sandbox.requested_access.data import actions_of
from sandbox.requested_access.request import Request, model_of

# Services whose actions have neither the prefix of their signatures nor boto3's name.
_PREFIXES = {
    "apigatewaymanagementapi": "execute-api",
    "cloudcontrol": "cloudformation",
    "iot-data": "iot",
    "iot-jobs-data": "iotjobsdata",
    "iotsecuretunneling": "iot",
    "mturk": "mechanicalturk",
    "partnercentral-account": "partnercentral",
    "partnercentral-benefits": "partnercentral",
    "partnercentral-channel": "partnercentral",
    "partnercentral-selling": "partnercentral",
    "resourcegroupstaggingapi": "tag",
}

# Each from the service's page in the Service Authorization Reference or from its API reference. With a prefix if it is
# another service's.
_OTHER_NAMES = {
    "access-analyzer:GetFindingV2": "GetFinding",
    "access-analyzer:ListFindingsV2": "ListFindings",
    "aws-marketplace:BatchDescribeEntities": "DescribeEntity",
    "bcm-pricing-calculator:BatchCreateBillScenarioCommitmentModification": "CreateBillScenarioCommitmentModification",
    "bcm-pricing-calculator:BatchCreateBillScenarioUsageModification": "CreateBillScenarioUsageModification",
    "bcm-pricing-calculator:BatchCreateWorkloadEstimateUsage": "CreateWorkloadEstimateUsage",
    "bcm-pricing-calculator:BatchDeleteBillScenarioCommitmentModification": "DeleteBillScenarioCommitmentModification",
    "bcm-pricing-calculator:BatchDeleteBillScenarioUsageModification": "DeleteBillScenarioUsageModification",
    "bcm-pricing-calculator:BatchDeleteWorkloadEstimateUsage": "DeleteWorkloadEstimateUsage",
    "bcm-pricing-calculator:BatchUpdateBillScenarioCommitmentModification": "UpdateBillScenarioCommitmentModification",
    "bcm-pricing-calculator:BatchUpdateBillScenarioUsageModification": "UpdateBillScenarioUsageModification",
    "bcm-pricing-calculator:BatchUpdateWorkloadEstimateUsage": "UpdateWorkloadEstimateUsage",
    "bedrock:Converse": "InvokeModel",
    "bedrock:ConverseStream": "InvokeModelWithResponseStream",
    "bedrock:InvokeModelWithBidirectionalStream": "InvokeModelWithResponseStream",
    "bedrock:RetrieveAndGenerateStream": "RetrieveAndGenerate",
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
    "cases:BatchCreateRelatedItem": "CreateRelatedItem",
    "cases:BatchUpdateCase": "UpdateCase",
    "cassandra:GetKeyspace": "Select",
    "cassandra:GetTable": "Select",
    "cassandra:GetType": "Select",
    "cassandra:ListKeyspaces": "Select",
    "cassandra:ListTables": "Select",
    "cassandra:ListTagsForResource": "Select",
    "cassandra:ListTypes": "Select",
    "cloudfront:CreateDistributionWithTags": "CreateDistribution",
    "detective:ListOrganizationAdminAccounts": "ListOrganizationAdminAccount",
    "dms:DescribeDataProviders": "ListDataProviders",
    "dms:DescribeExtensionPackAssociations": "ListExtensionPacks",
    "dms:DescribeInstanceProfiles": "ListInstanceProfiles",
    "dms:DescribeMetadataModelAssessments": "ListMetadataModelAssessments",
    "dms:DescribeMetadataModelConversions": "ListMetadataModelConversions",
    "dms:DescribeMetadataModelExportsAsScript": "ListMetadataModelExports",
    "dms:DescribeMetadataModelExportsToTarget": "ListMetadataModelExports",
    "dms:DescribeMigrationProjects": "ListMigrationProjects",
    "dms:ModifyConversionConfiguration": "UpdateConversionConfiguration",
    "dms:ModifyDataProvider": "UpdateDataProvider",
    "dms:ModifyInstanceProfile": "UpdateInstanceProfile",
    "dms:ModifyMigrationProject": "UpdateMigrationProject",
    "dms:StartExtensionPackAssociation": "AssociateExtensionPack",
    "dms:StartMetadataModelExportAsScript": "StartMetadataModelExportAsScripts",
    "ecr:ListImageReferrers": "BatchGetImage",
    "execute-api:DeleteConnection": "ManageConnections",
    "execute-api:GetConnection": "ManageConnections",
    "execute-api:PostToConnection": "ManageConnections",
    "glue:GetUnfilteredPartitionMetadata": "GetPartition",
    "glue:GetUnfilteredPartitionsMetadata": "GetPartitions",
    "glue:GetUnfilteredTableMetadata": "GetTable",
    "lambda:GetLayerVersionByArn": "GetLayerVersion",
    "lambda:Invoke": "InvokeFunction",
    "lambda:InvokeAsync": "InvokeFunction",
    "lambda:InvokeWithResponseStream": "InvokeFunction",
    "s3:CreateBucket": "s3-outposts:CreateBucket",
    "s3:DeleteAccessPointScope": "s3express:DeleteAccessPointScope",
    "s3:DeleteBucket": "s3-outposts:DeleteBucket",
    "s3:DeleteBucketLifecycleConfiguration": "s3-outposts:PutLifecycleConfiguration",
    "s3:DeleteBucketPolicy": "s3-outposts:DeleteBucketPolicy",
    "s3:DeleteBucketReplication": "s3-outposts:PutReplicationConfiguration",
    "s3:DeleteBucketTagging": "s3-outposts:PutBucketTagging",
    "s3:DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
    "s3:GetAccessPointScope": "s3express:GetAccessPointScope",
    "s3:GetBucket": "s3-outposts:GetBucket",
    "s3:GetBucketLifecycleConfiguration": "s3-outposts:GetLifecycleConfiguration",
    "s3:GetBucketPolicy": "s3-outposts:GetBucketPolicy",
    "s3:GetBucketReplication": "s3-outposts:GetReplicationConfiguration",
    "s3:GetBucketTagging": "s3-outposts:GetBucketTagging",
    "s3:GetBucketVersioning": "s3-outposts:GetBucketVersioning",
    "s3:GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "s3:ListAccessPointsForDirectoryBuckets": "s3express:ListAccessPointsForDirectoryBuckets",
    "s3:ListRegionalBuckets": "s3-outposts:ListRegionalBuckets",
    "s3:PutAccessPointScope": "s3express:PutAccessPointScope",
    "s3:PutBucketLifecycleConfiguration": "s3-outposts:PutLifecycleConfiguration",
    "s3:PutBucketPolicy": "s3-outposts:PutBucketPolicy",
    "s3:PutBucketReplication": "s3-outposts:PutReplicationConfiguration",
    "s3:PutBucketTagging": "s3-outposts:PutBucketTagging",
    "s3:PutBucketVersioning": "s3-outposts:PutBucketVersioning",
    "s3:PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    "securityhub:BatchUpdateFindingsV2": "BatchUpdateFindings",
    "securityhub:GetFindingStatisticsV2": "GetAdhocInsightResults",
    "securityhub:GetFindingsV2": "GetFindings",
    "sns:PublishBatch": "Publish",
    "sqs:ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "DeleteMessage",
    "sqs:SendMessageBatch": "SendMessage",
    "tax:BatchGetTaxExemptions": "GetExemptions",
    "tax:GetTaxExemptionTypes": "GetExemptions",
    "tax:ListTaxExemptions": "GetExemptions",
    "tax:PutTaxExemption": "UpdateExemptions",
    "timestream:Query": "Select",
    "verifiedpermissions:BatchGetPolicy": "GetPolicy",
    "verifiedpermissions:BatchIsAuthorized": "IsAuthorized",
    "verifiedpermissions:BatchIsAuthorizedWithToken": "IsAuthorizedWithToken",
    "vpc-lattice:BatchUpdateRule": "UpdateRule",
}


@cache
def prefix_of(service: str, signed_as: str) -> str:
    """The prefix of a service's actions, from boto3's name of it and that of its signatures."""
    if service in _PREFIXES:
        return _PREFIXES[service]
    return service if not actions_of(signed_as) and actions_of(service) else signed_as


@cache
def name_of(service: str, signed_as: str, operation: str, method: str) -> str:
    """The action of an operation, with its prefix. API Gateway's are HTTP methods, but for what is newer."""
    if service == "s3":
        return s3.name_of(operation)
    prefix = prefix_of(service, signed_as)
    name = _OTHER_NAMES.get(f"{prefix}:{operation}", operation)
    if ":" in name:
        return name
    known = actions_of(prefix).get(name.lower())
    if known is None and prefix == "apigateway":
        return f"{prefix}:{method}"
    return f"{prefix}:{known['name'] if known else name}"


def action_of(request: Request) -> str:
    """The IAM action, such as lambda:InvokeFunction for the API's Invoke."""
    model = model_of(request.service)
    signed_as = str(model.signing_name) if model else request.service
    return name_of(request.service, signed_as, request.operation, request.method)
