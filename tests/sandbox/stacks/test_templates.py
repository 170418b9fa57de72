"""CloudFormation: what a template asks for is there afterwards, or is refused in words. Before anything is made."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ..conftest import Client

SAM = "AWS::Serverless-2016-10-31"
ALL = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": 111111111111}, "Action": "sts:AssumeRole"}]}
QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
POOL: dict[str, Any] = {"Type": "AWS::Cognito::UserPool"}
INLINE = {"Runtime": "python3.11", "Handler": "index.main", "InlineCode": "def main(event, context): return 'ran'"}
FUNCTION: dict[str, Any] = {"Type": "AWS::Serverless::Function", "Properties": INLINE}


@pytest.fixture(scope="module")
def api(client: Client) -> Any:
    return client("cloudformation")


def new_name() -> str:
    return f"template-{uuid.uuid4().hex[:8]}"


def template_of(resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Resources": resources, **more})


def refusal_of(api: Any, template: str, capabilities: list[str] | None = None) -> str:
    """By `create-stack` and by a change set, which say the same; nothing remains of either."""
    name, given = new_name(), {"TemplateBody": template, "Capabilities": ALL if capabilities is None else capabilities}
    messages = []
    for call in (
        lambda: api.create_stack(StackName=name, **given),
        lambda: api.create_change_set(StackName=name, ChangeSetName="refused", ChangeSetType="CREATE", **given),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        messages.append(raised.value.response["Error"]["Message"])
    assert messages[0] == messages[1]
    assert not [one for one in api.list_stacks()["StackSummaries"] if one["StackName"] == name]
    return str(messages[0])


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (template_of({"Pool": POOL, "Queue": QUEUE}), "cannot create Pool (AWS::Cognito::UserPool)"),
        (template_of({"Skill": {"Type": "Alexa::ASK::Skill"}}), "cannot create Skill (Alexa::ASK::Skill)"),
        (template_of({"Queue": {"Type": "AWS::SQS::Qeue"}}), "Did you mean AWS::SQS::Queue?"),
        (
            template_of({"Queue": {**QUEUE, "Properties": {"DelaySecond": 1}}}),
            "resource Queue with message: #: extraneous key [DelaySecond] is not permitted. Did you mean DelaySeconds?",
        ),
        (template_of({"Function": FUNCTION}), "[AWS::Serverless::Function]"),
        (template_of({"Pool": POOL}, Transform=SAM), "AWS::Cognito::UserPool"),
        (template_of({"Queue": QUEUE}, Transform="MyMacro"), "no transform MyMacro"),
        (template_of({"Queue": QUEUE}, Transform=["AWS::LanguageExtensions", SAM]), "AWS::LanguageExtensions"),
        (
            template_of({"Queue": {**QUEUE, "Properties": {"Fn::Transform": {"Name": "AWS::Include"}}}}),
            "no transform AWS::Include",
        ),
        (
            template_of({"Function": {**FUNCTION, "Properties": {"Runtime": "python3.11"}}}, Transform=SAM),
            f"Transform {SAM} failed with: Invalid Serverless Application Specification document.",
        ),
        (
            template_of({"Queue": {**QUEUE, "Properties": {"QueueName": {"Ref": "Nothing"}}}}),
            "Unresolved resource dependencies [Nothing] in the Resources block",
        ),
        (
            template_of({"Queue": {**QUEUE, "Properties": {"QueueName": {"Fn::Sub": "${!No}${Nothing.Arn}"}}}}),
            "Unresolved resource dependencies [Nothing] in the Resources block",
        ),
        (
            template_of({"Queue": QUEUE}, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Nothing", "Arn"]}}}),
            "Unresolved resource dependencies [Nothing] in the Outputs block",
        ),
        (template_of({"Queue": {**QUEUE, "DependsOn": "Nothing"}}), "Unresolved resource dependencies [Nothing]"),
        (
            template_of({"One": {**QUEUE, "DependsOn": "Two"}, "Two": {**QUEUE, "DependsOn": ["One"]}}),
            "Circular dependency between resources: [One, Two]",
        ),
        (
            template_of({"Queue": {**QUEUE, "Properties": {"Tags": {"Fn::Length": []}}}}),
            "has no function Fn::Length",
        ),
        (template_of({}), "At least one Resources member must be defined"),
        (template_of({"Queue": {"Properties": {}}}), "[/Resources/Queue] Every Resources object must contain a Type"),
        ("Resources:\n  Queue: [", "YAML not well-formed. (line "),
        ('{"Resources": ', "JSON not well-formed"),
        ("nothing", "unsupported structure"),
        (template_of({"Queue": QUEUE}, Parameters={"Name": {"Type": "String"}}), "[Name] must have values"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_made(api: Any, template: str, message: str) -> None:
    assert message in refusal_of(api, template)


@pytest.mark.parametrize(
    ("resources", "more", "capabilities", "missing"),
    [
        ({"Policy": {"Type": "AWS::IAM::ManagedPolicy"}}, {}, [], "CAPABILITY_IAM"),
        ({"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}}, {}, [], "CAPABILITY_NAMED_IAM"),
        ({"User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "u"}}}, {}, ALL[1:], "CAPABILITY_NAMED_IAM"),
        ({"Function": FUNCTION}, {"Transform": SAM}, ["CAPABILITY_AUTO_EXPAND"], "CAPABILITY_IAM"),
    ],
)
def test_what_grants_permissions_is_to_be_acknowledged(
    api: Any, resources: Any, more: Any, capabilities: list[str], missing: str
) -> None:
    assert refusal_of(api, template_of(resources, **more), capabilities) == f"Requires capabilities : [{missing}]"


def test_a_transform_is_to_be_acknowledged_unless_a_change_set_shows_what_it_makes(api: Any) -> None:
    name, given = new_name(), {"TemplateBody": template_of({"Function": FUNCTION}, Transform=SAM)}
    with pytest.raises(ClientError, match=r"InsufficientCapabilities.*\[CAPABILITY_AUTO_EXPAND"):
        api.create_stack(StackName=name, Capabilities=ALL[:1], **given)
    made = api.create_change_set(
        StackName=name, ChangeSetName="shown", ChangeSetType="CREATE", Capabilities=ALL[:1], **given
    )
    changes = api.describe_change_set(ChangeSetName=made["Id"])["Changes"]
    assert {one["ResourceChange"]["LogicalResourceId"] for one in changes} == {"Function", "FunctionRole"}
    api.delete_stack(StackName=name)


def test_what_a_condition_excludes_needs_nothing(api: Any) -> None:
    """Also a condition made of another one, in YAML's short form."""
    template = """
Conditions:
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
Resources:
  Queue: {Type: AWS::SQS::Queue, Condition: Always}
  Pool: {Type: AWS::Cognito::UserPool, Condition: Never}
  Metadata: {Type: AWS::CDK::Metadata}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
"""
    name = new_name()
    api.create_stack(StackName=name, TemplateBody=template)
    found = api.describe_stack_resources(StackName=name)["StackResources"]
    assert [one["LogicalResourceId"] for one in found] == ["Queue", "Metadata", "Handle"]
    api.delete_stack(StackName=name)


def test_a_template_of_sam_is_kept_as_given_and_shown_as_deployed(api: Any, client: Client) -> None:
    name = new_name()
    given = {
        "Transform": SAM,
        "Parameters": {"Stage": {"Type": "String", "Default": "one"}},
        "Globals": {"Function": {"Environment": {"Variables": {"STAGE": {"Ref": "Stage"}}}}},
        "Resources": {
            "Table": {"Type": "AWS::Serverless::SimpleTable"},
            "Function": {
                **FUNCTION,
                "Properties": {
                    **INLINE,
                    "Policies": ["AmazonS3ReadOnlyAccess", {"DynamoDBReadPolicy": {"TableName": {"Ref": "Table"}}}],
                },
            },
        },
        "Outputs": {"Name": {"Value": {"Ref": "Function"}}, "Role": {"Value": {"Ref": "FunctionRole"}}},
    }
    api.create_stack(StackName=name, TemplateBody=json.dumps(given), Capabilities=ALL)
    assert api.get_template(StackName=name)["TemplateBody"] == given
    processed = api.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert {of["Type"] for of in processed["Resources"].values()} == {
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
    }
    (stack,) = api.describe_stacks(StackName=name)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    attached = client("iam").list_attached_role_policies(RoleName=outputs["Role"])["AttachedPolicies"]
    assert "AmazonS3ReadOnlyAccess" in {one["PolicyName"] for one in attached}
    api.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "two"}],
        Capabilities=ALL,
    )
    configuration = client("lambda").get_function_configuration(FunctionName=outputs["Name"])
    assert configuration["Environment"]["Variables"] == {"STAGE": "two"}
    api.delete_stack(StackName=name)


def test_a_template_in_yaml_is_deployed_again_as_it_was(api: Any) -> None:
    name, template = new_name(), "Transform: AWS::Serverless-2016-10-31\nResources: {Queue: {Type: AWS::SQS::Queue}}"
    api.create_stack(StackName=name, TemplateBody=template, Capabilities=ALL)
    assert api.get_template(StackName=name)["TemplateBody"] == template
    processed = api.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert processed == {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    with pytest.raises(ClientError, match="No updates are to be performed"):
        api.update_stack(StackName=name, UsePreviousTemplate=True, Capabilities=ALL)
    api.delete_stack(StackName=name)


def test_validating_tells_what_a_template_wants(api: Any) -> None:
    resources = {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}}
    parameters = {"Secret": {"Type": "String", "NoEcho": True, "Default": "x", "Description": "What it is"}}
    found = api.validate_template(TemplateBody=template_of(resources, Parameters=parameters, Transform=SAM))
    assert found["Capabilities"] == ALL
    assert found["DeclaredTransforms"] == [SAM]
    assert found["Parameters"] == [
        {"ParameterKey": "Secret", "DefaultValue": "x", "NoEcho": True, "Description": "What it is"}
    ]
    summary = api.get_template_summary(TemplateBody=template_of(resources, Parameters=parameters, Transform=SAM))
    assert (summary["Capabilities"], summary["ResourceTypes"]) == (ALL, ["AWS::IAM::Role"])
    assert summary["Parameters"][0]["ParameterType"] == "String"
    with pytest.raises(ClientError, match="not well-formed"):
        api.validate_template(TemplateBody="Resources: [")


def test_a_template_is_found_under_each_form_of_its_url(api: Any, client: Client, box: Any) -> None:
    name, bucket = new_name(), "templates.of.stacks"
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key="a folder/template", Body=template_of({"Queue": QUEUE}))
    port = box.endpoint_url.rpartition(":")[2]
    key = "a%20folder/template"
    for url in (
        f"http://127.0.0.1:{port}/{bucket}/{key}",
        f"http://localhost:{port}/{bucket}/{key}",
        f"https://s3.amazonaws.com/{bucket}/{key}",
        f"https://s3.us-east-1.amazonaws.com/{bucket}/{key}",
        f"https://{bucket}.s3.amazonaws.com/{key}",
        f"https://{bucket}.s3.us-east-1.amazonaws.com/{key}",
    ):
        api.create_stack(StackName=name, TemplateURL=url)
        api.delete_stack(StackName=name)
    for missing in (f"{box.endpoint_url}/{bucket}/nothing", f"{box.endpoint_url}/no-bucket/key", box.endpoint_url):
        with pytest.raises(ClientError, match="S3 error"):
            api.create_stack(StackName=name, TemplateURL=missing)
