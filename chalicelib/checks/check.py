"""What a check is: one question to one account.

    @check(actions=["s3:ListAllMyBuckets"])
    def s3_buckets(account, *, prefix: str = ""):
        \"\"\"List the buckets of the account.\"\"\"
        ...

Its keyword-only arguments are its parameters and its signature their schema; `actions` are the IAM actions that the
session is narrowed to; the docstring's first line is its description. A question whose answer is the same from every
region says `scope="global"`, and is asked once in each account.

A check that judges names its `group`, and returns findings (checks/finding.py). Its docstring may have a line such as
"Controls: CIS 5: 5.3, 5.4; FSBP: EC2.13." If its second argument is `organization`, it is given what is known of that.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from chalicelib.checks.exceptions import mute
from chalicelib.checks.finding import judged
from chalicelib.checks.organization import UNKNOWN, Organization
from chalicelib.checks.parameters import Parameter, parameters_of, wants_organization
from chalicelib.cross_account import Account, InvalidInput
from chalicelib.errors import CheckCallFailed, ResultNotJson

CheckFunction = Callable[..., Any]
Scope = Literal["regional", "global"]
Access = Literal["list", "read"]
Group = Literal["identity", "data", "network", "monitoring"]
"""Of checks that judge: a target can switch off a group, by a parameter of role-template.yaml."""


@dataclass(frozen=True)
class Needs:
    """What a check needs, if its parameters decide that.

    Attributes:
        actions: the IAM actions that its session may use.
        scope: "global": it is asked once in an account, and not in each region.
        access: what the setting API_CALLS has to permit; None: the check may always be asked.
    """

    actions: tuple[str, ...]
    scope: Scope = "regional"
    access: Access | None = None


@dataclass(frozen=True)
class Check:
    """A function and the IAM actions it needs.

    Attributes:
        name: as an event names it.
        function: called with the account and, by keyword, the parameters.
        actions: the IAM actions that its session may use.
        parameters: by name.
        description: the first line of its docstring.
        scope: "global": it is asked once in an account, and not in each region.
        needs: called with the parameters by keyword, if they decide what it needs; None: `actions` and `scope` say it.
        group: of a check that judges; None: it does not.
        controls: those that it answers, by framework.
        wants_organization: it is called with the account and what is known of the organization.
    """

    name: str
    function: CheckFunction
    actions: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    description: str
    scope: Scope = "regional"
    needs: Callable[..., Needs] | None = None
    group: Group | None = None
    controls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wants_organization: bool = False

    @property
    def judges(self) -> bool:
        """Whether its result is a list of findings, each with a verdict."""
        return self.group is not None

    def asked(self, params: Mapping[str, Any]) -> Asked:
        """The check with its parameters.

        Raises:
            InvalidInput: one sentence that names the parameter.
        """
        self._validate(params)
        return Asked(self, params, self.needs(**params) if self.needs else Needs(self.actions, self.scope))

    def run(self, account: Account, params: Mapping[str, Any], organization: Organization = UNKNOWN) -> Any:
        """Run the check in an account.

        Args:
            account: whose role has been assumed.
            params: validated parameters.
            organization: what is known of it.

        Returns:
            What the check returned; JSON can hold it. Of a check that judges, a list of findings.

        Raises:
            ResultNotJson: it returned something else.
            Exception: whatever the check raises.
        """
        known = [organization] if self.wants_organization else []
        result = self.function(account, *known, **params)
        if self.judges:
            result = mute(judged(result, account.id), self.name, account.id)
        try:
            json.dumps(result, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ResultNotJson(
                f"The check {self.name} returned something that JSON cannot hold: {_not_json(result, error)}.",
                hint="Convert it in the check: dates with isoformat(), sets to sorted lists, bytes with decode().",
            ) from None
        return result

    def as_dict(self) -> dict[str, Any]:
        """Describe it, for `GET /checks`."""
        return {
            "name": self.name,
            "description": self.description,
            "actions": list(self.actions),
            "scope": self.scope,
            "group": self.group,
            "controls": self.controls,
            "parameters": {name: parameter.as_dict() for name, parameter in self.parameters.items()},
        }

    def _validate(self, params: Mapping[str, Any]) -> None:
        for name in params:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise InvalidInput(f"The check {self.name} takes no parameter {shown(name)}; it takes: {known}.")
        for parameter in self.parameters.values():
            if parameter.name not in params:
                if parameter.required:
                    raise InvalidInput(f"The check {self.name} needs the parameter {parameter.name}.")
            elif not parameter.takes(params[parameter.name]):
                wanted = parameter.type_name
                got = type(params[parameter.name]).__name__
                raise InvalidInput(
                    f"The parameter {parameter.name} of the check {self.name} must be {wanted}, not {got}."
                )


@dataclass(frozen=True)
class Asked:
    """A check with its parameters, which suit it: what an account is asked."""

    check: Check
    params: Mapping[str, Any]
    needs: Needs

    @property
    def name(self) -> str:
        return self.check.name

    def run(self, account: Account, organization: Organization = UNKNOWN) -> Any:
        """Ask an account whose role has been assumed. Returns and raises what `Check.run` does."""
        return self.check.run(account, self.params, organization)


def check(
    actions: Sequence[str] = (),
    *,
    scope: Scope = "regional",
    group: Group | None = None,
    needs: Callable[..., Needs] | None = None,
) -> Callable[[CheckFunction], Check]:
    """Decorate a function whose first argument is the account.

    Args:
        actions: the IAM actions it needs, such as `s3:ListAllMyBuckets`; at least one.
        scope: "global" if the answer is the same from every region.
        group: of a check that judges.
        needs: instead of both, a function of the check's parameters, which raises InvalidInput for those that it
            does not accept.

    Raises:
        TypeError: the signature, the docstring or the actions do not describe a check.
    """

    def make(function: CheckFunction) -> Check:
        name = function.__name__
        text = inspect.getdoc(function) or ""
        description = text.partition("\n")[0]
        if not description:
            raise TypeError(f"The check {name} needs a docstring: its first line is the description.")
        if needs is None and (not actions or not all(":" in action for action in actions)):
            raise TypeError(f"The check {name} needs its IAM actions, each as service:Action.")
        return Check(
            name,
            function,
            tuple(actions),
            parameters_of(function),
            description,
            scope=scope,
            needs=needs,
            group=group,
            controls=_controls(text),
            wants_organization=wants_organization(function),
        )

    return make


def _controls(docstring: str) -> dict[str, list[str]]:
    """Those of the paragraph "Controls: CIS 5: 5.3, 5.4; FSBP: EC2.13." of a docstring."""
    found = re.search(r"^Controls: (.+?)\.?$(?=\n\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    if not found:
        return {}
    frameworks = (part.partition(":") for part in " ".join(found[1].split()).split("; "))
    return {name: [control.strip() for control in listed.split(",")] for name, _, listed in frameworks}


def require_field(response: Mapping[str, Any], name: str) -> Any:
    """Return a field that AWS always sends.

    Raises:
        CheckCallFailed: the field is missing. Treating it as empty would hide a malformed response.
    """
    if name not in response:
        raise CheckCallFailed(f"AWS's response has no {name}.", hint="Is there a proxy in between? Retry.")
    return response[name]


def from_pages(pages: Iterable[Mapping[str, Any]], name: str) -> Iterator[Any]:
    """The things that a call lists, from `account.pages(...)`.

    Args:
        pages: AWS's.
        name: of the field of each that has them, such as Volumes.

    Raises:
        CheckCallFailed: a page lacks it.
    """
    for page in pages:
        yield from require_field(page, name)


def shown(value: Any) -> str:
    """A value of an event in a message: short, and on one line whatever it holds."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _not_json(result: Any, error: Exception) -> str:
    if isinstance(error, ValueError):
        return "NaN, infinity or a value that contains itself"
    # json's own message, "Object of type X is not JSON serializable", names the type and holds no value
    return str(error) if isinstance(error, TypeError) else type(result).__name__
