"""CloudFormation: what a template puts into Parameter Store."""

from typing import ClassVar

from sandbox.moto_patches.stacks.resource import Properties, Resource


class _Parameter(Resource):
    service = "ssm"
    required = ("Type", "Value")
    create_only = ("Name",)
    attributes: ClassVar = {"Type": lambda self: self._value("Type"), "Value": lambda self: self._value("Value")}

    def make(self, name: str) -> str:
        self.name = self._value("Name") or f"CFN-{name}"
        self._put(overwrite=False)
        return str(self.name)

    def change(self, old: Properties) -> None:
        self.backend.remove_tags_from_resource("Parameter", self.name, [*old.get("Tags", {})])
        self._put(overwrite=True)

    def remove(self) -> None:
        self.backend.delete_parameter(self.name)

    def _put(self, overwrite: bool) -> None:
        self.backend.put_parameter(
            description=self._value("Description") or "",
            name=self.name,
            value=self._value("Value"),
            parameter_type=self._value("Type"),
            allowed_pattern=self._value("AllowedPattern") or "",
            keyid=None,
            overwrite=overwrite,
            tags=[],
            data_type=self._value("DataType") or "text",
            tier=self._value("Tier"),
            policies=self._value("Policies"),
        )
        self.backend.add_tags_to_resource("Parameter", self.name, dict(self._value("Tags") or {}))


def follow_templates_of_parameters() -> None:
    # moto's parameters of a stack need a name and have no attributes. Can go when moto follows the template.
    from moto.cloudformation.parsing import get_model_map

    get_model_map()["AWS::SSM::Parameter"] = _Parameter
