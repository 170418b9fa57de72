"""CloudFormation: what is deleted goes, or it is told why not."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.backends import get_backend
from moto.cloudformation.parsing import clean_json

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.reading import parts


def keep_what_is_used_or_protected() -> None:
    # moto deletes stacks that are protected or whose exports others import, and cannot delete a stack without those of
    # its resources that RetainResources names. Can go when moto knows these rules and operations.
    from moto.cloudformation.responses import ActionResult, CloudFormationResponse

    original = CloudFormationResponse.delete_stack

    def delete_stack(self: Any) -> Any:
        name, stacks = self._get_param("StackName"), self.cloudformation_backend.stacks.values()
        stack = next((one for one in stacks if name in (one.name, one.stack_id)), None)
        if stack and stack.enable_termination_protection:
            message = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            raise AwsError("ValidationError", message)
        retained = self._get_param("RetainResources", [])
        if stack and retained and stack.status != "DELETE_FAILED":
            message = f"Invalid operation on stack [{stack.stack_id}]. RetainResources is for one in DELETE_FAILED."
            raise AwsError("ValidationError", message)
        for logical_id in retained if stack else ():
            stack.resource_map._resource_json_map[logical_id]["DeletionPolicy"] = "Retain"
        return original(self)

    def update_termination_protection(self: Any) -> Any:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.stack_id})

    def list_imports(self: Any) -> Any:
        name = self._get_param("ExportName")
        if not (found := [*importing(self.cloudformation_backend, name)]):
            raise AwsError("ValidationError", f"Export '{name}' is not imported by any stack.")
        return ActionResult({"Imports": found})

    responses: Any = CloudFormationResponse
    responses.delete_stack, responses.list_imports = delete_stack, list_imports
    responses.update_termination_protection = update_termination_protection


def importing(backend: Any, name: str) -> Iterator[str]:
    """The stacks that import what another exports by this name."""
    for stack in backend.stacks.values():
        imports = [part["Fn::ImportValue"] for part in parts(stack.template_dict) if "Fn::ImportValue" in part]
        if name in [clean_json(one, stack.resource_map) for one in imports]:
            yield stack.name


def delete_what_stands_alone() -> None:
    # moto has no deletion of these in a stack. Can go when it has.
    from moto.cloudformation.parsing import get_model_map

    for kind, (service, delete) in _DELETIONS.items():
        get_model_map()[kind].delete = _method(service, delete)  # type: ignore[attr-defined]


def _method(service: str, delete: Callable[[Any, Any], Any]) -> Callable[..., None]:
    def method(self: Any, account_id: str, region_name: str) -> None:
        backends: Any = get_backend(service)  # type: ignore[call-overload]
        delete(backends[account_id][region_name], self)

    return method


def _delete_route(ec2: Any, route: Any) -> None:
    if route.route_table.id in ec2.route_tables:
        ec2.delete_route(route.route_table.id, route.destination_cidr_block, route.destination_ipv6_cidr_block)


def _disassociate(ec2: Any, made: Any) -> None:
    if table := ec2.route_tables.get(made.route_table_id):
        for association in [key for key, subnet in table._associations.items() if subnet == made.subnet_id]:
            ec2.disassociate_route_table(association)


def _detach(ec2: Any, made: Any) -> None:
    of_internet = made.gateway_id in ec2.internet_gateways
    (ec2.detach_internet_gateway if of_internet else ec2.detach_vpn_gateway)(made.gateway_id, made.vpc_id)


_DELETIONS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "AWS::EC2::EIP": ("ec2", lambda ec2, made: ec2.release_address(allocation_id=made.allocation_id)),
    "AWS::EC2::FlowLog": ("ec2", lambda ec2, made: ec2.delete_flow_logs([made.id])),
    "AWS::EC2::InternetGateway": ("ec2", lambda ec2, made: ec2.delete_internet_gateway(made.id)),
    "AWS::EC2::NatGateway": ("ec2", lambda ec2, made: ec2.delete_nat_gateway(made.id)),
    "AWS::EC2::Route": ("ec2", _delete_route),
    "AWS::EC2::RouteTable": ("ec2", lambda ec2, made: ec2.delete_route_table(made.id)),
    "AWS::EC2::SubnetRouteTableAssociation": ("ec2", _disassociate),
    "AWS::EC2::Volume": ("ec2", lambda ec2, made: ec2.delete_volume(made.id)),
    "AWS::EC2::VPCEndpoint": ("ec2", lambda ec2, made: ec2.vpc_end_points.pop(made.id)),
    "AWS::EC2::VPCGatewayAttachment": ("ec2", _detach),
    "AWS::ECS::Cluster": ("ecs", lambda ecs, made: ecs.delete_cluster(made.name)),
}
