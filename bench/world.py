"""An account with tens of each thing that a check looks at, some of them bad, in moto."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

OUTSIDE = "444455556666"
"""An account that some roles trust."""


def build(session: Any) -> None:
    """Fill the account of a boto3 session."""
    for part in (_identity, _data, _network, _monitoring):
        part(session.client)


def _identity(client: Any) -> None:
    iam = client("iam")
    everything = iam.create_policy(PolicyName="all", PolicyDocument=_policy(Action="*", Resource="*"))["Policy"]["Arn"]
    for number in range(12):
        name = f"user-{number}"
        iam.create_user(UserName=name)
        iam.create_access_key(UserName=name)
        if number % 3 == 0:
            iam.create_login_profile(UserName=name, Password="of-no-use-here")
    for number in range(30):
        trusted = {"AWS": f"arn:aws:iam::{OUTSIDE}:root"} if number % 5 == 0 else {"Service": "lambda.amazonaws.com"}
        trust, name = _policy(Action="sts:AssumeRole", Principal=trusted), f"role-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        reads = _policy(Action=["s3:GetObject", "s3:ListBucket", "kms:Decrypt"], Resource="*")
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=reads)
        if number % 10 == 0:
            iam.attach_role_policy(RoleName=name, PolicyArn=everything)
    iam.generate_credential_report()  # the first answer is that it is not ready yet


def _data(client: Any) -> None:
    s3, kms, rds = client("s3"), client("kms"), client("rds")
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    for number in range(12):
        name = f"bucket-{number}"
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        if number % 3:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    for number in range(12):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        if number % 3:
            kms.enable_key_rotation(KeyId=key)
    for number in range(6):
        about: dict[str, Any] = {"DBInstanceClass": "db.t4g.medium", "Engine": "postgres", "AllocatedStorage": 20}
        about |= {"PubliclyAccessible": number == 0, "StorageEncrypted": number > 1}
        rds.create_db_instance(DBInstanceIdentifier=f"db-{number}", **about)
        rds.create_db_snapshot(DBSnapshotIdentifier=f"copy-{number}", DBInstanceIdentifier=f"db-{number}")


def _network(client: Any) -> None:
    ec2, functions = client("ec2"), client("lambda")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    where = {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::bucket-0"}
    ec2.create_flow_logs(ResourceType="VPC", ResourceIds=[vpc], TrafficType="ALL", **where)
    for number in range(20):
        group = ec2.create_security_group(GroupName=f"group-{number}", Description="A group", VpcId=vpc)["GroupId"]
        cidr = "0.0.0.0/0" if number % 5 == 0 else "10.0.0.0/8"
        rules = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port} for port in (22, 443, 5432)]
        rules = [{**rule, "IpRanges": [{"CidrIp": cidr}]} for rule in rules]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    for tokens, count in (("required", 10), ("optional", 5)):
        ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, MetadataOptions={"HttpTokens": tokens})
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    for number in range(15):
        volume = ec2.create_volume(AvailabilityZone=zone, Size=100, Encrypted=True)["VolumeId"]
        snapshot = {"SnapshotId": ec2.create_snapshot(VolumeId=volume)["SnapshotId"], "OperationType": "add"}
        if number == 0:
            ec2.modify_snapshot_attribute(**snapshot, Attribute="createVolumePermission", GroupNames=["all"])
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("main.py", "")
    role = client("iam").get_role(RoleName="role-1")["Role"]["Arn"]
    for number in range(20):
        runtime = "python3.13" if number % 4 else "python3.8"
        code = {"Runtime": runtime, "Role": role, "Handler": "main.main", "Code": {"ZipFile": zipped.getvalue()}}
        functions.create_function(FunctionName=f"function-{number}", **code)


def _monitoring(client: Any) -> None:
    trails, config = client("cloudtrail"), client("config")
    for name in ("all", "old"):
        trails.create_trail(Name=name, S3BucketName="bucket-0", IsMultiRegionTrail=True)
    trails.start_logging(Name="all")
    role = client("iam").get_role(RoleName="role-1")["Role"]["Arn"]
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "bucket-0"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    client("guardduty").create_detector(Enable=True)
    client("securityhub").enable_security_hub()


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
