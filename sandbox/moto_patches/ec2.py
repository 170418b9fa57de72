"""EC2: what instances ask of who reads their metadata, who may restore a snapshot, and a VPC's default group."""

from typing import Any


def keep_metadata_defaults() -> None:
    # moto 5.2.5 lacks both operations. Delete this when it has them.
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    names = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags")
    nothing = ("no-preference", "-1", -1, None)

    def get(self: Any) -> ActionResult:
        kept = getattr(self.ec2_backend, "metadata_defaults", {})
        return ActionResult({"AccountLevel": {**kept, "ManagedBy": "account"} if kept else {}})

    def modify(self: Any) -> ActionResult:
        kept = getattr(self.ec2_backend, "metadata_defaults", {}) | {
            name: value for name in names if (value := self._get_param(name)) is not None
        }
        self.ec2_backend.metadata_defaults = {name: value for name, value in kept.items() if value not in nothing}
        return ActionResult({"Return": True})

    EC2Response.get_instance_metadata_defaults = get  # type: ignore[attr-defined]
    EC2Response.modify_instance_metadata_defaults = modify  # type: ignore[attr-defined]


def tell_who_may_restore() -> None:
    # moto 5.2.5 ignores RestorableBy (in boto3 RestorableByUserIds) and Owner, and returns all snapshots of the
    # account. Delete this when it filters.
    from moto.core.responses import ActionResult
    from moto.ec2.responses.elastic_block_store import ElasticBlockStore

    original = ElasticBlockStore.describe_snapshots

    def describe_snapshots(self: Any) -> ActionResult:
        found = original(self)
        account = self.current_account
        owners = {account if owner == "self" else owner for owner in self._get_param("OwnerIds", [])}
        users = {account if user == "self" else user for user in self._get_param("RestorableByUserIds", [])}
        found.result["Snapshots"] = [
            snapshot
            for snapshot in found.result["Snapshots"]
            if (not owners or snapshot.owner_id in owners) and (not users or users & _may_restore(snapshot))
        ]
        return found

    ElasticBlockStore.describe_snapshots = describe_snapshots  # type: ignore[method-assign]


def _may_restore(snapshot: Any) -> set[str]:
    return {*snapshot.create_volume_permission_groups, *snapshot.create_volume_permission_userids, snapshot.owner_id}


def let_default_groups_in() -> None:
    # A VPC's default group lets all traffic of the group itself in, and in moto 5.2.5 none:
    # https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html. Delete this when moto's does.
    from moto.ec2.models import EC2Backend

    original = EC2Backend.create_security_group

    def create_security_group(self: Any, *args: Any, **kwargs: Any) -> Any:
        group = original(self, *args, **kwargs)
        if group.is_default:
            self.authorize_security_group_ingress(group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}])
        return group

    EC2Backend.create_security_group = create_security_group  # type: ignore[method-assign]
