"""What a check is: one question to one account.

    @check(actions=["s3:ListAllMyBuckets"])
    def s3_buckets(account, *, prefix: str = ""):
        \"\"\"List the buckets of the account.\"\"\"
        ...

Its keyword-only arguments are its parameters and its signature their schema; `actions` are the IAM actions that the
session is narrowed to; the docstring's first line is its description. A question whose answer is the same from every
region says `scope="global"`, and is asked once in each account.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.checks.parameters import Parameter, parameters_of
from chalicelib.cross_account import Account, InvalidInput
from chalicelib.errors import CheckCallFailed, ResultNotJson

CheckFunction = Callable[..., Any]
Scope = Literal["regional", "global"]
Access = Literal["list", "read"]


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
    """

    name: str
    function: CheckFunction
    actions: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    description: str
    scope: Scope = "regional"
    needs: Callable[..., Needs] | None = None

    def asked(self, params: Mapping[str, Any]) -> Asked:
        """The check with its parameters.

        Raises:
            InvalidInput: one sentence that names the parameter.
        """
        self._validate(params)
        return Asked(self, params, self.needs(**params) if self.needs else Needs(self.actions, self.scope))

    def run(self, account: Account, params: Mapping[str, Any]) -> Any:
        """Run the check in an account.

        Args:
            account: whose role has been assumed.
            params: validated parameters.

        Returns:
            What the check returned; JSON can hold it.

        Raises:
            ResultNotJson: it returned something else.
            Exception: whatever the check raises.
        """
        result = self.function(account, **params)
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

    def run(self, account: Account) -> Any:
        """Ask an account whose role has been assumed. Returns and raises what `Check.run` does."""
        return self.check.run(account, self.params)


def check(
    actions: Sequence[str] = (), *, scope: Scope = "regional", needs: Callable[..., Needs] | None = None
) -> Callable[[CheckFunction], Check]:
    """Decorate a function whose first argument is the account.

    Args:
        actions: the IAM actions it needs, such as `s3:ListAllMyBuckets`; at least one.
        scope: "global" if the answer is the same from every region.
        needs: instead of both, a function of the check's parameters, which raises InvalidInput for those that it
            does not accept.

    Raises:
        TypeError: the signature, the docstring or the actions do not describe a check.
    """

    def make(function: CheckFunction) -> Check:
        name = function.__name__
        description = (inspect.getdoc(function) or "").partition("\n")[0]
        if not description:
            raise TypeError(f"The check {name} needs a docstring: its first line is the description.")
        if needs is None and (not actions or not all(":" in action for action in actions)):
            raise TypeError(f"The check {name} needs its IAM actions, each as service:Action.")
        return Check(name, function, tuple(actions), parameters_of(function), description, scope, needs)

    return make


def require_field(response: Mapping[str, Any], name: str) -> Any:
    """Return a field that AWS always sends.

    Raises:
        CheckCallFailed: the field is missing. Treating it as empty would hide a malformed response.
    """
    if name not in response:
        raise CheckCallFailed(f"AWS's response has no {name}.", hint="Is there a proxy in between? Retry.")
    return response[name]


def shown(value: Any) -> str:
    """A value of an event in a message: short, and on one line whatever it holds."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _not_json(result: Any, error: Exception) -> str:
    if isinstance(error, ValueError):
        return "NaN, infinity or a value that contains itself"
    # json's own message, "Object of type X is not JSON serializable", names the type and holds no value
    return str(error) if isinstance(error, TypeError) else type(result).__name__
