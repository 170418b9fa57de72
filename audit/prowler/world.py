"""Two accounts in moto, in two regions: the first has something good and something bad for each check.

What an account has one of, such as a root user, cannot be both; it is the other way round in the second.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from moto.config.models import config_backends
from moto.iam.models import iam_backends

from sandbox.inventory import identity
from sandbox.moto_patches import ec2 as ec2_patches
from sandbox.moto_patches import iam as iam_patches
from sandbox.moto_patches import services as service_patches

FIRST, SECOND = ACCOUNTS = ("123456789012", "210987654321")
BUSY, BARE = REGIONS = ("us-east-1", "eu-west-1")
"""In the first account, the first has everything; the second has only what an account is born with."""

EVERYONE = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def mend() -> None:
    """Mend what moto answers wrong of the things that are judged, as in the sandbox."""
    # No call makes a root user.
    identity.ROOTS[FIRST] = identity.Root(password=True, key=True)
    identity.ROOTS[SECOND] = identity.Root(password=True, mfa=True)
    iam_patches.have_root_users()
    ec2_patches.keep_metadata_defaults()
    ec2_patches.tell_who_may_restore()
    ec2_patches.let_default_groups_in()
    service_patches.mark_keys_of_aws()


def fill() -> dict[str, boto3.Session]:
    """By AWS's own calls; only what AWS alone can do, such as letting time pass, is done to moto.

    Returns:
        Sessions in each account.
    """
    sessions = {account: _session(account) for account in ACCOUNTS}
    _fill_first(sessions[FIRST])
    _fill_second(sessions[SECOND])
    return sessions


def _session(account: str) -> boto3.Session:
    role = f"arn:aws:iam::{account}:role/any"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="compare")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=BUSY)


def _fill_first(aws: boto3.Session) -> None:
    _identity(aws.client("iam"))
    ec2, s3 = aws.client("ec2"), aws.client("s3")
    subnet = ec2.describe_subnets()["Subnets"][0]
    off = {**dict.fromkeys(BLOCKS, True), "IgnorePublicAcls": False, "RestrictPublicBuckets": False}
    aws.client("s3control").put_public_access_block(AccountId=FIRST, PublicAccessBlockConfiguration=off)
    _buckets(s3)
    aws.client("ec2", BARE).enable_ebs_encryption_by_default()
    _volumes_and_images(ec2)
    _groups(ec2, subnet)
    _vpcs(ec2)
    _databases(ec2, aws.client("rds"))
    _keys(aws.client("kms"))
    _functions(aws.client("lambda"))
    _trail(aws, "everywhere", "trails", multi_region=True)
    _trail(aws, "here", "trails", multi_region=False)
    _recorder(aws, FIRST, BUSY, "default", last_status="Success")
    aws.client("guardduty").create_detector(Enable=True)
    aws.client("securityhub").enable_security_hub()


def _fill_second(aws: boto3.Session) -> None:
    on = dict.fromkeys(BLOCKS, True)
    aws.client("s3control").put_public_access_block(AccountId=SECOND, PublicAccessBlockConfiguration=on)
    ec2 = aws.client("ec2")
    ec2.enable_ebs_encryption_by_default()
    ec2.modify_instance_metadata_defaults(HttpTokens="required")
    aws.client("s3").create_bucket(Bucket="trails-of-the-second")
    _trail(aws, "here", "trails-of-the-second", multi_region=False)
    _recorder(aws, SECOND, BUSY, "failing", last_status="Failure")
    _recorder(aws, SECOND, BARE, "stopped", last_status="Success")
    aws.client("config", BARE).stop_configuration_recorder(ConfigurationRecorderName="stopped")
    aws.client("guardduty").create_detector(Enable=False)


def _statement(**fields: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **fields}]})


def _identity(iam: Any) -> None:
    for name in ("with-mfa", "without-mfa", "no-password", "admin-user", "inline-admin-user"):
        iam.create_user(UserName=name)
    for name in ("with-mfa", "without-mfa"):
        iam.create_login_profile(UserName=name, Password="only-in-moto-1!")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="with-mfa", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    ages = {  # days since it was made, days since it was used (None: never), whether it is active
        "fresh-key": [(1, 1, True)],
        "old-key": [(200, 1, True)],
        "idle-key": [(80, 60, True)],
        "old-key-that-is-off": [(200, 100, False)],
        "two-keys": [(1, 0, True), (91, 2, True)],
        "key-never-used": [(60, None, True)],
        "key-unused-for-45-days": [(80, 45, True)],
    }
    now = datetime.now(UTC).replace(tzinfo=None)
    for name, keys in ages.items():
        iam.create_user(UserName=name)
        for made, used, active in keys:
            key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
            stored = iam_backends[FIRST]["aws"].users[name].access_keys[-1]
            stored.create_date = now - timedelta(days=made)
            stored.last_used = None if used is None else now - timedelta(days=used)
            if not active:
                iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    everything = _statement(Action="*", Resource="*")
    own = iam.create_policy(PolicyName="own-admin", PolicyDocument=everything)["Policy"]["Arn"]
    iam.create_policy(PolicyName="own-admin-that-nobody-has", PolicyDocument=everything)
    narrow = iam.create_policy(
        PolicyName="narrow", PolicyDocument=_statement(Action="s3:ListAllMyBuckets", Resource="*")
    )["Policy"]["Arn"]
    trust = _statement(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
    trusts_other = _statement(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{SECOND}:root"})
    for name, trusts, policy in (
        ("admin-of-a-service", trust, admin),
        ("admin-of-people", trusts_other, admin),
        ("own-admin", trusts_other, own),
        ("narrow", trusts_other, narrow),
    ):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts)
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.create_role(RoleName="inline-admin-role", AssumeRolePolicyDocument=trusts_other)
    iam.put_role_policy(RoleName="inline-admin-role", PolicyName="all", PolicyDocument=everything)
    iam.attach_user_policy(UserName="admin-user", PolicyArn=admin)
    iam.put_user_policy(UserName="inline-admin-user", PolicyName="all", PolicyDocument=everything)
    iam.create_group(GroupName="admins")
    iam.attach_group_policy(GroupName="admins", PolicyArn=admin)


def _buckets(s3: Any) -> None:
    for name in ("private", "public-by-policy", "public-by-acl", "public-but-blocked", "trails", "flow-logs"):
        s3.create_bucket(Bucket=name)
        s3.delete_public_access_block(Bucket=name)
    for name in ("public-by-policy", "public-but-blocked"):
        anyone = _statement(Action="s3:GetObject", Principal="*", Resource=f"arn:aws:s3:::{name}/*")
        s3.put_bucket_policy(Bucket=name, Policy=anyone)
    s3.put_bucket_acl(Bucket="public-by-acl", ACL="public-read")
    s3.put_public_access_block(Bucket="public-but-blocked", PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, True))


def _volumes_and_images(ec2: Any) -> None:
    zone = f"{BUSY}a"
    ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=True)
    plain = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=False)["VolumeId"]
    _, shared = (ec2.create_snapshot(VolumeId=plain)["SnapshotId"] for _ in range(2))
    ec2.modify_snapshot_attribute(
        SnapshotId=shared, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    image = ec2.register_image(Name="plain", RootDeviceName="/dev/xvda")["ImageId"]
    for tokens, endpoint in (("optional", "disabled"), ("optional", "enabled"), ("required", "enabled")):
        options = {"HttpTokens": tokens, "HttpEndpoint": endpoint}
        made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, MetadataOptions=options)
    instance = made["Instances"][0]["InstanceId"]
    _, shared = (ec2.create_image(InstanceId=instance, Name=name)["ImageId"] for name in ("kept", "shared"))
    ec2.modify_image_attribute(ImageId=shared, LaunchPermission={"Add": [{"Group": "all"}]})


def _groups(ec2: Any, subnet: Any) -> None:
    rules = {
        "ssh-open": ("tcp", 22, 22, EVERYONE),
        "rdp-open": ("tcp", 3389, 3389, EVERYONE),
        "range-open": ("tcp", 20, 4000, EVERYONE),
        "ssh-open-unused": ("tcp", 22, 22, EVERYONE),
        "all-open": ("-1", None, None, EVERYONE),
        "all-tcp-open": ("tcp", 0, 65535, EVERYONE),
        "https-open": ("tcp", 443, 443, EVERYONE),
        "udp-open": ("udp", 22, 22, EVERYONE),
        "ssh-inside": ("tcp", 22, 22, {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}),
        "ssh-open-v6": ("tcp", 22, 22, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}),
    }
    for name, (protocol, first, last, ranges) in rules.items():
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=subnet["VpcId"])["GroupId"]
        ports = {} if first is None else {"FromPort": first, "ToPort": last}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": protocol, **ports, **ranges}])
        if not name.endswith("unused"):
            ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=[group])


def _vpcs(ec2: Any) -> None:
    logged = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    unlogged = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    ec2.create_flow_logs(
        ResourceIds=[logged],
        ResourceType="VPC",
        TrafficType="REJECT",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flow-logs",
    )
    (empty,) = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [unlogged]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    for rule, revoke in (
        ("IpPermissions", ec2.revoke_security_group_ingress),
        ("IpPermissionsEgress", ec2.revoke_security_group_egress),
    ):
        if empty[rule]:
            revoke(GroupId=empty["GroupId"], IpPermissions=empty[rule])


def _databases(ec2: Any, rds: Any) -> None:
    """Two are publicly accessible, but only one has a security group and a subnet that let everyone in."""
    vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = []
    for number, zone in enumerate("ab"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.3.{number}.0/24", AvailabilityZone=BUSY + zone)["Subnet"]
        ec2.associate_route_table(RouteTableId=table["RouteTableId"], SubnetId=subnet["SubnetId"])
        subnets.append(subnet["SubnetId"])
    rds.create_db_subnet_group(DBSubnetGroupName="open", DBSubnetGroupDescription="open", SubnetIds=subnets)
    group = ec2.create_security_group(GroupName="postgres-open", Description="open", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **EVERYONE}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    reachable = {"DBSubnetGroupName": "open", "VpcSecurityGroupIds": [group]}
    for name, public, encrypted, more in (
        ("good", False, True, {}),
        ("public", True, True, reachable),
        ("public-but-filtered", True, True, {}),
        ("plain", False, False, {}),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            Port=5432,
            AllocatedStorage=20,
            MasterUsername="master",
            MasterUserPassword="only-in-moto",
            PubliclyAccessible=public,
            StorageEncrypted=encrypted,
            **more,
        )
    for name in ("kept", "given-away"):
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="plain")
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="given-away", AttributeName="restore", ValuesToAdd=["all"])


def _keys(kms: Any) -> None:
    rotated, _, off = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(3))
    kms.enable_key_rotation(KeyId=rotated)
    kms.disable_key(KeyId=off)
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")


def _functions(functions: Any) -> None:
    role = f"arn:aws:iam::{FIRST}:role/narrow"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")
    for runtime in ("python3.13", "nodejs22.x", "python3.9", "python3.8", "nodejs18.x", "nodejs12.x", "go1.x", "java8"):
        functions.create_function(
            FunctionName=runtime.replace(".", "-"),
            Runtime=runtime,
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
        )


def _trail(aws: boto3.Session, name: str, bucket: str, *, multi_region: bool) -> None:
    cloudtrail = aws.client("cloudtrail")
    cloudtrail.create_trail(Name=name, S3BucketName=bucket, IsMultiRegionTrail=multi_region)
    cloudtrail.start_logging(Name=name)


def _recorder(aws: boto3.Session, account: str, region: str, name: str, *, last_status: str) -> None:
    config = aws.client("config", region)
    role = f"arn:aws:iam::{account}:role/narrow"
    config.put_configuration_recorder(ConfigurationRecorder={"name": name, "roleARN": role})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "trails"})
    config.start_configuration_recorder(ConfigurationRecorderName=name)
    config_backends[account][region].recorders[name].status.last_status = last_status
