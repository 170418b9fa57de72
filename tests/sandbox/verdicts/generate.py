"""Makes cases for sandbox/decide.py by chance, a family for each kind of policy and each rule.

python -m tests.sandbox.verdicts.generate 2026 300 > cases.jsonl    # the seed, and how many of each family
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

HOME, AWAY = "111111111111", "222222222222"
USER = f"arn:aws:iam::{HOME}:user/alice"
ROLE = f"arn:aws:iam::{HOME}:role/reader"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/reader/session"
NAMES = ("*", HOME, f"arn:aws:iam::{HOME}:root", USER, ROLE, SESSION, [USER, SESSION], [ROLE, HOME], AWAY, f"{USER}s")

ACTIONS = ("s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "sns:Publish", "dynamodb:GetItem", "ec2:RunInstances")
PATTERNS = ("*", "s3:*", "s3:Get*", "s3:getobject", "S3:G?tObject", "sqs:*", "sns:Publish", "dynamodb:*Item", "ec2:*")
RESOURCES = {
    "s3": ("arn:aws:s3:::photos/alice/a.png", "arn:aws:s3:::photos", "arn:aws:s3:::photos/bob/b:c"),
    "sqs": (f"arn:aws:sqs:eu-west-1:{HOME}:jobs", f"arn:aws:sqs:us-east-1:{AWAY}:jobs"),
    "sns": (f"arn:aws:sns:eu-west-1:{HOME}:news", f"arn:aws:sns:eu-west-1:{HOME}:news:part"),
    "dynamodb": (f"arn:aws:dynamodb:eu-west-1:{HOME}:table/orders", f"arn:aws:dynamodb:us-east-1:{HOME}:table/o"),
    "ec2": ("*", f"arn:aws:ec2:eu-west-1:{HOME}:instance/i-1"),
}
ARNS = (
    "*",
    "arn:aws:s3:::photos/*",
    "arn:aws:s3:::photos",
    "arn:aws:s3:::photos/alice/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::phot?s/*/?.png",
    f"arn:aws:sqs:*:{HOME}:jobs",
    "arn:aws:sqs:eu-west-1:*:*",
    "arn:aws:sns:*:*:news",
    "arn:aws:dynamodb:*:*:table/o*",
    "arn:aws:ec2:*:*:instance/*",
)
SHORT_ARNS = (
    "arn:*",
    "arn:aws:*",
    "arn:aws:s3:*",
    "arn:aws:s3",
    "arn:aws:s3::*",
    "arn:aws:sqs:*",
    "arn:aws:sqs:eu-*",
    "arn:aws:sns:eu-west-1:*",
    f"arn:aws:sns:eu-west-1:{HOME}:*",
    "arn:aws:sns:*:news",
    "arn:aws:sns:*:*:*:part",
    "arn:aws:s*:eu-west-1:*",
    "arn:aws:dynamodb:?u-west-1:*",
    "arn:aws:dynamodb:*:table/orders",
    "ARN:aws:SQS:EU-west-1:*",
    "arn:aws:s3:::PHOTOS/*",
    "**",
)

Json = dict[str, Any]


class Maker:
    """Chooses by chance, the same way for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)

    def one(self, values: Any) -> Any:
        return self.chance.choice(values)

    def maybe(self, probability: float = 0.5) -> bool:
        return self.chance.random() < probability

    def some(self, values: Any, most: int = 2) -> Any:
        """One value, or a list of a few."""
        if self.maybe(0.6):
            return self.one(values)
        return [self.one(values) for _ in range(self.chance.randint(0 if self.maybe(0.1) else 1, most))]

    # Policies

    def document(self, *statements: Json) -> Json:
        written: Any = list(statements)
        if len(statements) == 1 and self.maybe(0.3):
            written = statements[0]
        return {"Version": "2012-10-17", "Statement": written}

    def statement(self, deny: float = 0.3, negate: float = 0.1, arns: Any = ARNS, **elements: Any) -> Json:
        action = "NotAction" if self.maybe(negate) else "Action"
        resource = "NotResource" if self.maybe(negate) and arns is not SHORT_ARNS else "Resource"
        statement = {
            "Effect": "Deny" if self.maybe(deny) else "Allow",
            action: self.some(PATTERNS),
            resource: "*" if resource == "Resource" and self.maybe(0.4) else self.some(arns),
            **elements,
        }
        if self.maybe(0.2):
            statement["Condition"] = self.easy_condition()
        return statement

    def easy_condition(self) -> Json:
        key, value = self.one(
            (("aws:PrincipalOrgID", "o-ours"), ("aws:RequestedRegion", "eu-west-1"), ("aws:PrincipalTag/Team", "blue"))
        )
        return {self.one(("StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists")): {key: value}}

    def policies(self, least: int = 0, most: int = 2, **how: Any) -> list[Json]:
        return [
            self.document(*(self.statement(**how) for _ in range(self.chance.randint(1, 2))))
            for _ in range(self.chance.randint(least, most))
        ]

    def full(self, probability: float = 0.5, **how: Any) -> list[Json]:
        """Policies that often allow everything, so that the others decide."""
        everything = self.document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        return [*([everything] if self.maybe(probability) else []), *self.policies(0, 1, **how)]

    # Cases

    def case(self, **layers: Any) -> Json:
        action = self.one(ACTIONS)
        context: Json = {}
        for key, values in (
            ("aws:PrincipalOrgID", ("o-ours", "o-other")),
            ("aws:RequestedRegion", ("eu-west-1", "us-east-1")),
            ("aws:PrincipalTag/team", ("blue", "red")),
            ("aws:username", ("alice", "bob")),
        ):
            if self.maybe(0.6):
                context[key] = self.one(values)
        request = {
            "action": action,
            "principal": self.one((USER, SESSION)),
            "resource": {"resource": self.one(RESOURCES[action.partition(":")[0]]), "accountId": HOME},
            "context": context,
        }
        return {"request": request, "identityPolicies": [], **layers}

    def principal(self, negated: bool = False) -> Json:
        principals = [{"AWS": name} for name in NAMES]
        principals += [{"Service": "lambda.amazonaws.com"}, {"AWS": ROLE, "Service": ["s3.amazonaws.com"]}]
        named = "*" if self.maybe(0.1) else self.one(principals)
        return {"NotPrincipal" if negated else "Principal": named}

    def resource_policy(self, negate: float = 0.0, actions: Any = None, **how: Any) -> Json:
        statements = []
        for _ in range(self.chance.randint(1, 2)):
            statement = self.statement(**how)
            if actions:
                statement.pop("NotAction", None)
                statement["Action"] = self.some(actions)
            statement |= self.principal(self.maybe(negate))
            statements.append(statement)
        return self.document(*statements)


def identity(make: Maker) -> Json:
    return make.case(
        identityPolicies=make.full(0.3) if make.maybe(0.3) else make.policies(0, 3),
        permissionBoundaries=make.full(0.3) or None if make.maybe(0.6) else None,
    )


def session(make: Maker) -> Json:
    case = make.case(
        identityPolicies=make.full(),
        sessionPolicy=make.one(make.full(0.7) or make.policies(1, 1)),
        permissionBoundaries=make.full() or None if make.maybe(0.3) else None,
        resourcePolicy=make.resource_policy() if make.maybe(0.4) else None,
    )
    case["request"]["principal"] = SESSION
    return case


def service_control(make: Maker) -> Json:
    levels = [
        {"orgIdentifier": f"ou-{level}", "policies": make.full(0.8, deny=0.5)}
        for level in range(make.chance.randint(0, 3))
    ]
    return make.case(
        identityPolicies=make.full(0.8),
        serviceControlPolicies=levels,
        resourcePolicy=make.resource_policy() if make.maybe(0.3) else None,
    )


def resource_control(make: Maker) -> Json:
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    levels = [
        {"orgIdentifier": f"ou-{level}", "policies": [make.document(full), *make.policies(deny=0.7, Principal="*")]}
        for level in range(make.chance.randint(0, 3))
    ]
    return make.case(
        identityPolicies=make.full(0.8),
        resourceControlPolicies=levels,
        resourcePolicy=make.resource_policy() if make.maybe(0.3) else None,
    )


def resource_here(make: Maker) -> Json:
    case = make.case(
        identityPolicies=make.full(0.3),
        resourcePolicy=make.resource_policy(negate=0.1),
        permissionBoundaries=make.full(0.3) or None if make.maybe(0.4) else None,
    )
    if make.maybe(0.1):
        case["request"]["principal"] = "lambda.amazonaws.com"
        case |= {"identityPolicies": [], "permissionBoundaries": None}
    return case


def resource_elsewhere(make: Maker) -> Json:
    case = resource_here(make)
    case["request"]["resource"]["accountId"] = AWAY
    if case["request"]["principal"] != "lambda.amazonaws.com":
        case["identityPolicies"] = make.full(0.8)
    return case


def key(make: Maker) -> Json:
    case = resource_here(make)
    account = make.one((HOME, HOME, AWAY))
    arn = f"arn:aws:kms:eu-west-1:{account}:key/k"
    actions = ("kms:*", "kms:Decrypt", "kms:De*", "kms:Encrypt", "*")
    case["resourcePolicy"] = make.resource_policy(actions=actions, arns=("*", arn)) if make.maybe(0.9) else None
    case["request"] |= {"action": "kms:Decrypt", "resource": {"resource": arn, "accountId": account}}
    return case


def trust_here(make: Maker, account: str = HOME) -> Json:
    case = make.case(
        identityPolicies=make.full(0.4) if account == HOME else make.full(0.9),
        permissionBoundaries=make.full(0.5) or None if make.maybe(0.4) else None,
    )
    policy = make.resource_policy(actions=("sts:AssumeRole", "sts:*", "sts:assume*", "sts:TagSession"))
    for statement in policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]:
        statement.pop("Resource", None)
        statement.pop("NotResource", None)
        if make.maybe(0.3):
            operator = make.one(("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "Null"))
            statement["Condition"] = {operator: {"sts:ExternalId": "true" if operator == "Null" else "secret"}}
    if make.maybe():
        case["request"]["context"]["sts:ExternalId"] = make.one(("secret", "Secret", "other"))
    case["resourcePolicy"] = policy
    case["request"] |= {
        "action": "sts:AssumeRole",
        "resource": {"resource": f"arn:aws:iam::{account}:role/target", "accountId": account},
    }
    return case


def trust_elsewhere(make: Maker) -> Json:
    return trust_here(make, AWAY)


VALUES: dict[str, tuple[Any, ...]] = {
    "String": ("blue", "Blue", "red", "bl*", "b?ue", "*", "", "a[b]c", "green"),
    "Numeric": ("10", "9", "10.0", "11", "-3", 10, 9.5, "x"),
    "Date": (
        "2026-01-01T00:00:00Z",
        "2026-01-01",
        "2025-12-31T23:59:59.5Z",
        "2026-01-01T01:00:00+01:00",
        "2026-06-01T12:00:00Z",
        "soon",
    ),
    "Epoch": ("1767225600", "1767225601", "1600000000"),
    "Bool": ("true", "false", True, False, "True", "maybe"),
    "Binary": ("QmluYXJ5", "QmluYXJZ", "AA=="),
    "Ip": ("203.0.113.0/24", "203.0.113.7", "10.0.0.0/8", "2001:db8::/32", "2001:db8::7", "203.0.113.99/25", "here"),
    "Arn": (
        "arn:aws:sns:eu-west-1:111111111111:news",
        "arn:aws:sns:*:111111111111:news",
        "arn:aws:sns:*:*:n?ws*",
        "arn:aws:*:*:*:news",
        "arn:aws:sns:eu-west-1:222222222222:news",
        "arn:aws:s3:::photos/*",
        "news",
    ),
}
ACTUAL: dict[str, tuple[str, ...]] = {
    "String": ("blue", "Blue", "red", "bl*", "", "a[b]c"),
    "Numeric": ("10", "9", "10.0", "11", "-3", "x"),
    "Date": ("2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2026-06-01T12:00:00Z", "never"),
    "Epoch": ("1767225600", "1700000000"),
    "Bool": ("true", "false"),
    "Binary": ("QmluYXJ5", "AA=="),
    "Ip": ("203.0.113.7", "10.1.2.3", "192.0.2.1", "2001:db8::7", "2001:db9::1"),
    "Arn": ("arn:aws:sns:eu-west-1:111111111111:news", "arn:aws:s3:::photos/a/b", "arn:aws:sns:eu-west-1:1:news:x"),
}
COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = (
    *(("String", f"String{name}") for name in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase")),
    *(("String", f"String{name}") for name in ("Like", "NotLike")),
    *((kind, f"{kind}{name}") for kind in ("Numeric", "Date") for name in COMPARISONS),
    ("Epoch", "DateLessThan"),
    ("Epoch", "DateGreaterThanEquals"),
    ("Bool", "Bool"),
    ("Binary", "BinaryEquals"),
    ("Ip", "IpAddress"),
    ("Ip", "NotIpAddress"),
    *(("Arn", f"Arn{name}") for name in ("Equals", "NotEquals", "Like", "NotLike")),
    ("Bool", "Null"),
)


def conditional(make: Maker, condition: Json | None, context: Json, **resource: Any) -> Json:
    """A case in which all depends on one condition, or on one element of resources."""
    case = make.case()
    statement = {"Effect": "Allow", "Action": "*", **(resource or {"Resource": "*"})}
    if condition is not None:
        statement["Condition"] = condition
    case["identityPolicies"] = [make.document(statement)]
    if make.maybe(0.4):
        statement["Effect"] = "Deny"
        case["identityPolicies"].append(make.document({"Effect": "Allow", "Action": "*", "Resource": "*"}))
    case["request"]["context"] = context
    return case


def operators(make: Maker) -> Json:
    condition: Json = {}
    context: Json = {}
    for key in ("aws:First", "aws:Tag/Second")[: 1 if make.maybe(0.8) else 2]:
        kind, operator = make.one(OPERATORS)
        quantifier = make.one(("", "", "ForAnyValue:", "ForAllValues:"))
        if_exists = make.one(("", "", "IfExists"))
        values = make.some(VALUES[kind], 3)
        condition.setdefault(f"{quantifier}{operator}{if_exists}", {})[key] = values
        if make.maybe(0.8):
            written = key.upper() if make.maybe(0.1) else key
            actual = ACTUAL[kind]
            several = make.maybe(0.7 if quantifier else 0.05)
            context[written] = (
                [make.one(actual) for _ in range(make.chance.randint(0, 3))] if several else make.one(actual)
            )
    return conditional(make, condition, context)


VARIABLES = (
    "${aws:username}",
    "${AWS:UserName}",
    "${aws:username, 'guest'}",
    "${aws:PrincipalTag/Team}",
    "${aws:PrincipalTag/Team, 'blue'}",
    "${aws:username}-${aws:PrincipalTag/Team}",
    "${aws:username}*",
    "*${aws:username}",
    "${*}",
    "a${?}",
    "${$}{aws:username}",
    "alice",
    "${aws:username",
)
FILLED = ("alice", "bob", "guest", "blue", "alice-blue", "alicebob", "red", "ab")
WRITTEN = (*FILLED, "*", "a?", "${aws:username}")


def variables(make: Maker) -> Json:
    """Where something must be unlike a variable, it has a value: without one the judge contradicts AWS."""
    unlike = make.maybe(0.3)
    context: Json = {}
    if unlike or make.maybe(0.7):
        context["aws:username"] = make.one(("alice", "bob", "a*", "*"))
    if unlike or make.maybe(0.6):
        context["aws:PrincipalTag/team"] = make.one(("blue", "red") if unlike else ("blue", "red", ["blue", "red"]))
    if make.maybe():
        name = make.one(("Like", "Equals"))
        kind = "Arn" if make.maybe(0.3) else "String"
        prefix = "arn:aws:sns:eu-west-1:1:" if kind == "Arn" else ""
        names = [one for one in VARIABLES if kind == "Arn" or name == "Like" or not re.search(r"\{[*?$]", one)]
        context["aws:Key"] = prefix + make.one(WRITTEN)
        operator = f"{make.one(('', '', 'ForAnyValue:'))}{kind}{'Not' if unlike else ''}{name}"
        return conditional(make, {operator: {"aws:Key": make.some([prefix + one for one in names], 3)}}, context)
    arns = make.some([f"arn:aws:s3:::photos/{one}" for one in VARIABLES], 3)
    case = conditional(make, None, context, **{"NotResource" if unlike else "Resource": arns})
    case["request"]["action"] = "s3:GetObject"
    case["request"]["resource"]["resource"] = f"arn:aws:s3:::photos/{make.one(FILLED)}"
    return case


def arns(make: Maker) -> Json:
    return make.case(
        identityPolicies=make.full(0.6, arns=SHORT_ARNS, deny=0.5, negate=0.2),
        permissionBoundaries=make.full(0.7, arns=SHORT_ARNS) or None if make.maybe(0.2) else None,
    )


def negations(make: Maker) -> Json:
    return make.case(
        identityPolicies=make.full(0.5, negate=0.7, deny=0.4),
        resourcePolicy=make.resource_policy(negate=0.5, deny=0.5) if make.maybe(0.6) else None,
        permissionBoundaries=make.full(0.6, negate=0.7) or None if make.maybe(0.2) else None,
    )


FAMILIES: dict[str, Callable[[Maker], Json]] = {
    "identity and boundary": identity,
    "trust in one account": trust_here,
    "trust across accounts": trust_elsewhere,
    "session policy": session,
    "service control": service_control,
    "resource control": resource_control,
    "resource in one account": resource_here,
    "resource across accounts": resource_elsewhere,
    "key policy": key,
    "operators": operators,
    "variables": variables,
    "short ARNs": arns,
    "negations": negations,
}


def cases(seed: int, count: int) -> Iterator[Json]:
    """`count` cases of each family, with its name as "family"."""
    for name, family in FAMILIES.items():
        make = Maker(seed)
        for _ in range(count):
            yield {"family": name, **family(make)}


if __name__ == "__main__":
    for case in cases(int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(case, separators=(",", ":")))
