"""Resource policies, within an account and across two: S3, SQS, SNS, KMS, Lambda and Secrets Manager.

Sources: IAM User Guide, reference_policies_evaluation-logic-cross-account.html and
reference_policies_evaluation-logic_policy-eval-basics.html; S3 User Guide, access-policy-language-overview; SQS
Developer Guide, basic examples of policies; SNS Developer Guide, sns-access-policy-use-cases; KMS Developer Guide,
key-policies and key-policy-modifying-external-accounts; Lambda Developer Guide, access-control-resource-based;
Secrets Manager User Guide, auth-and-access_examples_cross.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB, REGION
from sandbox.functions.environment import runtime_name
from tests.sandbox.conftest import zipped

from .conftest import EVERYTHING, Cloud, Credentials, allow, deny, document, is_denied, policy_text, session_arn, unique

Statement = dict[str, Any]


@dataclass(frozen=True)
class Shared:
    """A resource of `member`.

    Attributes:
        action: what `use` does.
        arn: of the resource, as a policy names it.
        give: writes the statements, each (effect, principal), as its policy, in place of what it was.
        use: does the action, and returns what tells that it was done to this very resource.
    """

    action: str
    arn: str
    give: Callable[..., None]
    use: Callable[[Credentials | None], Any]


def statements(action: str, resource: str, given: tuple[tuple[str, Any], ...]) -> list[Statement]:
    return [
        {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}
        for effect, principal in given
    ]


def flattened(names: str | list[str]) -> list[str]:
    return names if isinstance(names, list) else [names]


def bucket(cloud: Cloud, account: str) -> Shared:
    name, owner = unique(), cloud.within(account, "s3")
    owner.create_bucket(Bucket=name)
    owner.put_object(Bucket=name, Key="key", Body=b"of the owner")
    arn = f"arn:aws:s3:::{name}/*"

    def give(*given: tuple[str, Any]) -> None:
        if not given:
            owner.delete_bucket_policy(Bucket=name)
            return
        owner.put_bucket_policy(Bucket=name, Policy=document(*statements("s3:GetObject", arn, given)))

    def use(credentials: Credentials | None) -> bool:
        found = cloud.client("s3", credentials).get_object(Bucket=name, Key="key")
        return bool(found["Body"].read() == b"of the owner")

    return Shared("s3:GetObject", arn, give, use)


def queue(cloud: Cloud, account: str) -> Shared:
    name, owner = unique(), cloud.within(account, "sqs")
    url = owner.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{account}:{name}"

    def give(*given: tuple[str, Any]) -> None:
        policy = document(*statements("sqs:SendMessage", arn, given)) if given else ""
        owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def use(credentials: Credentials | None) -> bool:
        text = unique()
        cloud.client("sqs", credentials).send_message(QueueUrl=url, MessageBody=text)
        got = owner.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        return text in {message["Body"] for message in got}

    return Shared("sqs:SendMessage", arn, give, use)


def topic(cloud: Cloud, account: str) -> Shared:
    owner = cloud.within(account, "sns")
    arn = owner.create_topic(Name=unique())["TopicArn"]
    own = ("Allow", {"AWS": f"arn:aws:iam::{account}:root"})  # a topic always has a policy

    def give(*given: tuple[str, Any]) -> None:
        policy = document(*statements("sns:GetTopicAttributes", arn, given or (own,)))
        owner.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def use(credentials: Credentials | None) -> bool:
        found = cloud.client("sns", credentials).get_topic_attributes(TopicArn=arn)["Attributes"]
        return bool(found["Owner"] == account)

    return Shared("sns:GetTopicAttributes", arn, give, use)


def key(cloud: Cloud, account: str) -> Shared:
    owner = cloud.within(account, "kms")
    made = owner.create_key()["KeyMetadata"]
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}

    def give(*given: tuple[str, Any]) -> None:
        policy = document(root, *statements("kms:Encrypt", "*", given))
        owner.put_key_policy(KeyId=made["KeyId"], PolicyName="default", Policy=policy)

    def use(credentials: Credentials | None) -> bool:
        sealed = cloud.client("kms", credentials).encrypt(KeyId=made["Arn"], Plaintext=b"text")
        opened = owner.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
        return bool(opened["Plaintext"] == b"text" and sealed["KeyId"] == made["Arn"])

    return Shared("kms:Encrypt", made["Arn"], give, use)


def function(cloud: Cloud, account: str) -> Shared:
    owner = cloud.within(account, "lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = owner.create_function(
        FunctionName=unique(),
        Role=cloud.role(trust=trust, account=account),
        Runtime=runtime_name(),
        Handler="app.handler",
        Code={"ZipFile": zipped(app="def handler(event, context): return event")},
    )
    arn, given_before = made["FunctionArn"], set[str]()

    def give(*given: tuple[str, Any]) -> None:
        """A statement for each; Lambda has only those that allow."""
        while given_before:
            owner.remove_permission(FunctionName=arn, StatementId=given_before.pop())
        names = [one for _, principal in given for one in flattened(principal["AWS"])]
        for named in names:
            for action in ("lambda:InvokeFunction", "lambda:GetFunctionConfiguration"):
                given_before.add(name := unique())
                owner.add_permission(FunctionName=arn, StatementId=name, Action=action, Principal=named)

    def use(credentials: Credentials | None) -> bool:
        client = cloud.client("lambda", credentials)
        status = client.invoke(FunctionName=arn, InvocationType="DryRun")["StatusCode"]
        return bool(status == 204 and client.get_function_configuration(FunctionName=arn)["FunctionArn"] == arn)

    return Shared("lambda:InvokeFunction", arn, give, use)


def secret(cloud: Cloud, account: str) -> Shared:
    """Encrypted with a key that others may use too, as AWS asks for."""
    owner, text = cloud.within(account, "secretsmanager"), unique()
    for_all = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    own_key = cloud.within(account, "kms").create_key(Policy=document(for_all))["KeyMetadata"]["Arn"]
    arn = owner.create_secret(Name=unique(), SecretString=text, KmsKeyId=own_key)["ARN"]

    def give(*given: tuple[str, Any]) -> None:
        if not given:
            owner.delete_resource_policy(SecretId=arn)
            return
        policy = document(*statements("secretsmanager:GetSecretValue", "*", given))
        owner.put_resource_policy(SecretId=arn, ResourcePolicy=policy)

    def use(credentials: Credentials | None) -> bool:
        found = cloud.client("secretsmanager", credentials).get_secret_value(SecretId=arn)
        return bool(found["SecretString"] == text)

    return Shared("secretsmanager:GetSecretValue", arn, give, use)


KINDS = {"S3": bucket, "SQS": queue, "SNS": topic, "KMS": key, "Lambda": function, "Secrets Manager": secret}
WITH_DENIALS = [kind for kind in KINDS if kind != "Lambda"]
_made: dict[str, Shared] = {}


@pytest.fixture
def shared(cloud: Cloud, member: str, kind: str) -> Shared:
    if kind not in _made:
        _made[kind] = KINDS[kind](cloud, member)
    return _made[kind]


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    """A role of the hub that may do everything."""
    return cloud.role(EVERYTHING)


@pytest.fixture(scope="module")
def may(cloud: Cloud, role: str) -> Credentials:
    return cloud.enter(role)


@pytest.fixture(scope="module")
def powerless(cloud: Cloud) -> str:
    """A role of the hub that may do nothing."""
    return cloud.role()


@pytest.fixture(scope="module")
def may_not(cloud: Cloud, powerless: str) -> Credentials:
    return cloud.enter(powerless)


@pytest.fixture(scope="module")
def denied(cloud: Cloud) -> str:
    """A role of the hub whose policy a test writes."""
    return cloud.role()


# ---- across accounts


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_policy_another_account_s_resource_is_closed(shared: Shared, may: Credentials) -> None:
    shared.give()
    assert is_denied(shared.use, credentials=may)
    assert is_denied(shared.use, credentials=None), "to the developer too"


@pytest.mark.parametrize("kind", KINDS)
def test_its_policy_and_the_caller_s_together_open_it(shared: Shared, role: str, may: Credentials) -> None:
    for principal in (role, f"arn:aws:iam::{HUB}:root"):
        shared.give(("Allow", {"AWS": principal}))
        assert shared.use(may)


@pytest.mark.parametrize("kind", KINDS)
def test_its_policy_alone_does_not(shared: Shared, powerless: str, may_not: Credentials) -> None:
    shared.give(("Allow", {"AWS": [powerless, session_arn(powerless), f"arn:aws:iam::{HUB}:root"]}))
    assert is_denied(shared.use, credentials=may_not)


@pytest.mark.parametrize("kind", KINDS)
def test_its_policy_opens_it_to_no_other(shared: Shared, powerless: str, may: Credentials, other: str) -> None:
    shared.give(("Allow", {"AWS": [powerless, f"arn:aws:iam::{other}:root"]}))
    assert is_denied(shared.use, credentials=may)


@pytest.mark.parametrize("kind", WITH_DENIALS)
def test_a_deny_in_its_policy_holds(shared: Shared, role: str, may: Credentials) -> None:
    shared.give(("Allow", {"AWS": HUB}), ("Deny", {"AWS": role}))
    assert is_denied(shared.use, credentials=may)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deny_in_the_caller_s_policy_holds(cloud: Cloud, shared: Shared, denied: str) -> None:
    shared.give(("Allow", {"AWS": HUB}))
    session = cloud.enter(denied)
    cloud.put(denied, EVERYTHING)
    assert shared.use(session)
    cloud.put(denied, EVERYTHING, deny(f"{shared.action.partition(':')[0]}:*", on=shared.arn))
    assert is_denied(shared.use, credentials=session)


@pytest.mark.parametrize("kind", ["S3", "SQS", "Secrets Manager"])
def test_a_session_policy_caps_it(cloud: Cloud, shared: Shared, role: str) -> None:
    shared.give(("Allow", {"AWS": [role, session_arn(role)]}))
    assert is_denied(shared.use, credentials=cloud.enter(role, Policy=policy_text(allow("iam:*"))))
    assert shared.use(cloud.enter(role, Policy=policy_text(allow(shared.action))))


@pytest.mark.parametrize("kind", ["S3", "SNS"])
def test_a_message_names_the_policy(shared: Shared, role: str, may: Credentials) -> None:
    shared.give(("Allow", {"AWS": HUB}), ("Deny", {"AWS": role}))
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        shared.use(may)


def test_a_topic_of_another_account_takes_messages_only_by_its_policy(cloud: Cloud, member: str, role: str) -> None:
    owner = cloud.within(member, "sns")
    arn = owner.create_topic(Name=unique())["TopicArn"]
    publish = cloud.client("sns", cloud.enter(role)).publish
    assert is_denied(publish, TopicArn=arn, Message="hello")
    opened = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sns:Publish", "Resource": arn}
    owner.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document(opened))
    assert publish(TopicArn=arn, Message="hello")["MessageId"]


def test_everyone_of_the_organization_may_be_named(cloud: Cloud, member: str, may: Credentials) -> None:
    here = cloud.client("organizations").describe_organization()["Organization"]["Id"]
    name, owner = unique(), cloud.within(member, "s3")
    owner.create_bucket(Bucket=name)
    for organization, expected in ((here, True), ("o-another0000", False)):
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{name}",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}},
        }
        owner.put_bucket_policy(Bucket=name, Policy=document(statement))
        assert is_denied(cloud.client("s3", may).list_objects_v2, Bucket=name) is not expected


def test_what_has_no_policy_is_closed_to_other_accounts(cloud: Cloud, member: str, may: Credentials) -> None:
    table = cloud.within(member, "dynamodb").create_table(
        TableName=unique(),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    with pytest.raises(ClientError):
        cloud.client("dynamodb", may).describe_table(TableName=table)


def test_an_object_that_another_account_writes_is_in_the_owner_s_bucket(
    cloud: Cloud, member: str, role: str, may: Credentials
) -> None:
    name, owner = unique(), cloud.within(member, "s3")
    owner.create_bucket(Bucket=name)
    opened = {
        "Effect": "Allow",
        "Principal": {"AWS": role},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    owner.put_bucket_policy(Bucket=name, Policy=document(opened))
    s3 = cloud.client("s3", may)
    s3.put_object(Bucket=name, Key="key", Body=b"text")
    assert owner.get_object(Bucket=name, Key="key")["Body"].read() == b"text"
    assert is_denied(s3.get_object, Bucket=name, Key="key")
    assert is_denied(s3.list_objects_v2, Bucket=name)
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        s3.create_bucket(Bucket=name)


def test_a_copy_needs_its_source_too(cloud: Cloud, member: str, may: Credentials) -> None:
    closed, own, owner = unique(), unique(), cloud.within(member, "s3")
    owner.create_bucket(Bucket=closed)
    owner.put_object(Bucket=closed, Key="key", Body=b"text")
    cloud.client("s3").create_bucket(Bucket=own)
    copy = {"Bucket": own, "Key": "copy", "CopySource": {"Bucket": closed, "Key": "key"}}
    assert is_denied(cloud.client("s3", may).copy_object, **copy)
    cloud.client("s3").put_object(Bucket=own, Key="key", Body=b"text")
    writer = cloud.client(
        "s3", cloud.session(allow("s3:PutObject"), allow("s3:GetObject", on="arn:aws:s3:::another/*"))
    )
    assert is_denied(writer.copy_object, **{**copy, "CopySource": {"Bucket": own, "Key": "key"}})


def test_a_queue_of_another_account_is_found_by_its_owner(
    cloud: Cloud, member: str, role: str, may: Credentials
) -> None:
    name, owner, sqs = unique(), cloud.within(member, "sqs"), cloud.client("sqs", may)
    url = owner.create_queue(QueueName=name)["QueueUrl"]
    asked = {"QueueName": name, "QueueOwnerAWSAccountId": member}
    with pytest.raises(ClientError):  # SQS says that there is none, or none that the caller may see
        sqs.get_queue_url(**asked)
    resource = f"arn:aws:sqs:{REGION}:{member}:{name}"
    opened = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sqs:GetQueueUrl", "Resource": resource}
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(opened)})
    assert sqs.get_queue_url(**asked)["QueueUrl"] == url
    assert is_denied(sqs.send_message, QueueUrl=url, MessageBody="text")


@pytest.mark.parametrize("kind", ["S3", "SQS"])
def test_who_was_named_and_is_made_again_is_no_longer_let_in(cloud: Cloud, shared: Shared) -> None:
    """A resource policy keeps the unique id of whom it names, as a trust policy does."""
    named = cloud.role(EVERYTHING)
    shared.give(("Allow", {"AWS": named}))
    assert shared.use(cloud.enter(named))
    iam, name = cloud.client("iam"), named.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="policy")
    iam.delete_role(RoleName=name)
    session = cloud.enter(cloud.role(EVERYTHING, RoleName=name))
    assert is_denied(shared.use, credentials=session)
    shared.give(("Allow", {"AWS": named}))
    assert shared.use(session)


def test_a_bucket_policy_that_names_who_does_not_exist_is_malformed(cloud: Cloud, member: str) -> None:
    name, owner = unique(), cloud.within(member, "s3")
    owner.create_bucket(Bucket=name)
    nobody = {"AWS": f"arn:aws:iam::{member}:role/there-is-none"}
    policy = document({"Effect": "Allow", "Principal": nobody, "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}"})
    with pytest.raises(ClientError, match="MalformedPolicy"):
        owner.put_bucket_policy(Bucket=name, Policy=policy)


# ---- within an account


@pytest.mark.parametrize("kind", ["S3", "SQS", "SNS", "KMS", "Secrets Manager"])
def test_within_an_account_its_policy_alone_is_enough(cloud: Cloud, shared: Shared, member: str) -> None:
    own = cloud.role(account=member)
    session = cloud.enter(own)
    shared.give()
    assert is_denied(shared.use, credentials=session)
    shared.give(("Allow", {"AWS": own}))
    assert shared.use(session)
    shared.give(("Allow", {"AWS": f"arn:aws:iam::{member}:root"}))
    assert is_denied(shared.use, credentials=session), "the account is not its roles"


@pytest.mark.parametrize("kind", WITH_DENIALS)
def test_a_deny_binds_the_account_s_own_principals(cloud: Cloud, shared: Shared, member: str) -> None:
    own = cloud.role(EVERYTHING, account=member)
    session = cloud.enter(own)
    shared.give()
    assert shared.use(session)
    for principal in (own, session_arn(own), "*") if shared.action == "s3:GetObject" else (own,):
        shared.give(("Deny", {"AWS": principal}))
        assert is_denied(shared.use, credentials=session)
    shared.give()


@pytest.mark.parametrize("kind", ["S3"])
def test_what_is_given_to_a_role_is_capped_by_session_policy_and_boundary_and_to_a_session_by_no_boundary(
    cloud: Cloud, shared: Shared, member: str
) -> None:
    """By their silence. An explicit Deny in them always holds."""
    silent, never = policy_text(allow("iam:*")), policy_text(EVERYTHING, deny("s3:GetObject"))
    boundary = cloud.policy(allow("iam:*"), account=member)
    own = cloud.role(account=member)
    bounded = cloud.role(account=member, PermissionsBoundary=boundary)
    shared.give(("Allow", {"AWS": [own, bounded]}))
    assert is_denied(shared.use, credentials=cloud.enter(own, Policy=silent))
    assert is_denied(shared.use, credentials=cloud.enter(bounded))
    shared.give(("Allow", {"AWS": [session_arn(own), session_arn(bounded)]}))
    assert shared.use(cloud.enter(bounded))
    assert is_denied(shared.use, credentials=cloud.enter(own, Policy=never))


def test_a_key_policy_without_the_account_shuts_out_the_account_s_own_policies(cloud: Cloud, member: str) -> None:
    keeper = cloud.role(account=member)
    keeps = {"Effect": "Allow", "Principal": {"AWS": keeper}, "Action": "kms:*", "Resource": "*"}
    own = cloud.within(member, "kms").create_key(Policy=document(keeps))["KeyMetadata"]["Arn"]

    def is_closed(credentials: Credentials) -> bool:
        return is_denied(cloud.client("kms", credentials).encrypt, KeyId=own, Plaintext=b"text")

    everything = cloud.session(EVERYTHING, account=member)
    assert (is_closed(everything), is_closed(cloud.enter(keeper))) == (True, False)
    opens = {**keeps, "Principal": {"AWS": f"arn:aws:iam::{member}:root"}}
    cloud.client("kms", cloud.enter(keeper)).put_key_policy(KeyId=own, PolicyName="default", Policy=document(opens))
    powerless = cloud.session(account=member)
    assert (is_closed(everything), is_closed(powerless)) == (False, True)
