"""What a check is: one question, asked in one account.

    @check(actions=["s3:ListAllMyBuckets"])
    def s3_buckets(account, *, prefix: str = ""):
        \"\"\"List the buckets of the account.\"\"\"
        ...

Its keyword-only arguments are its parameters and its signature their schema; `actions` are the IAM actions that the
session is narrowed to; the docstring's first line is its description.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import CheckCallFailed, InvalidInput, ResultNotJson
from chalicelib.parameters import Parameter, parameters_of

CheckFunction = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """A function plus the IAM actions it needs.

    Attributes:
        name: as it is asked for.
        function: called with the account and, by keyword, the parameters.
        actions: the IAM actions that its session may use.
        parameters: by name.
        description: the first line of its docstring.
    """

    name: str
    function: CheckFunction
    actions: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    description: str

    def validate(self, params: Mapping[str, Any]) -> None:
        """Refuse parameters that the signature does not take.

        Raises:
            InvalidInput: names the parameter.
        """
        for name in params:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise InvalidInput(f"The check {self.name} takes no parameter {_short(name)}; it takes: {known}.")
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

    def run(self, account: Any, params: Mapping[str, Any]) -> Any:
        """Ask the question.

        Args:
            account: an `Account`.
            params: validated parameters.

        Returns:
            What the check answered; JSON can hold it.

        Raises:
            ResultNotJson: it answered something else.
            Exception: whatever the check raises.
        """
        result = self.function(account, **params)
        try:
            json.dumps(result, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ResultNotJson(
                f"The check {self.name} answered something that JSON cannot hold: {_not_json(result, error)}.",
                hint="Convert it in the check: dates with isoformat(), sets to sorted lists, bytes with decode().",
            ) from None
        return result

    def as_dict(self) -> dict[str, Any]:
        """Describe it, for `GET /checks`."""
        return {
            "name": self.name,
            "description": self.description,
            "actions": list(self.actions),
            "parameters": {name: parameter.as_dict() for name, parameter in self.parameters.items()},
        }


def check(actions: Sequence[str]) -> Callable[[CheckFunction], Check]:
    """Make a check of a function whose first argument is the account.

    Args:
        actions: the IAM actions it needs, such as `s3:ListAllMyBuckets`; at least one.

    Raises:
        TypeError: the signature, the docstring or the actions do not describe a check.
    """

    def make(function: CheckFunction) -> Check:
        name = function.__name__
        description = (inspect.getdoc(function) or "").partition("\n")[0]
        if not description:
            raise TypeError(f"The check {name} needs a docstring: its first line is the description.")
        if not actions or not all(":" in action for action in actions):
            raise TypeError(f"The check {name} needs its IAM actions, each as service:Action.")
        return Check(name, function, tuple(actions), parameters_of(function), description)

    return make


def field(answer: Mapping[str, Any], name: str) -> Any:
    """Take a field out of an AWS answer that always has it.

    Raises:
        CheckCallFailed: it is not there, so this is no answer of that service; to take it for "none" would be a lie.
    """
    if name not in answer:
        raise CheckCallFailed(f"AWS answered without {name}.", hint="Is there a proxy in between? Ask again.")
    return answer[name]


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _not_json(result: Any, error: Exception) -> str:
    if isinstance(error, ValueError):
        return "NaN, infinity or a value that contains itself"
    # json's own message, "Object of type X is not JSON serializable", names the type and holds no value
    return str(error) if isinstance(error, TypeError) else type(result).__name__
