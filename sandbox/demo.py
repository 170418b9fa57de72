"""Deploy the app into a sandbox, use it and delete it; each real command is printed before it runs.

    python -m sandbox.demo     or: make demo

It needs nothing but this project: it starts a sandbox of its own, and ends it. It takes half a minute.
"""

import json
import os
import subprocess
import sys
import textwrap
import time

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sandbox import accounts, leftovers
from sandbox.project_copy import LayerNotMade, copy_project
from sandbox.running import SandboxNotStarted, running
from sandbox.shell import drop_aws
from terminal.command import Parser, cleaning_up_undisturbed, run

STEPS_SHOWN = 2
INVOKE = "chalice invoke --stage sandbox -n"
QUESTION = (
    "python sweep.py lambda:ListFunctions --query 'Functions[].{function: FunctionName, runtime: Runtime}' "
    "--regions all --stage sandbox"
)
SEE_THE_PAGE = """
To see a sweep as a page: make sandbox, and in a second terminal
   eval "$(make -s sandbox-env)"
   .venv/bin/chalice local --stage sandbox
and open http://127.0.0.1:8000/report/posture?regions=us-east-1 in a browser."""
PRODUCTION, LEGACY, ACQUIRED = "123456789012", "456789012345", "567890123456"


class DemoFailed(Exception):
    """A step failed or its output was unexpected; the message contains the output."""


class Demo:
    """Runs commands in a copy of the project, because Chalice records deployments in the project."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        drop_aws()  # also from this process, in which boto3 would look for a profile although it is given keys
        self._project = project
        path = os.pathsep.join([str(project), *filter(None, [environment.get("PYTHONPATH")])])
        temporary = project / "temporary"  # of commands that are interrupted
        temporary.mkdir()
        self._environment = {**os.environ, **environment, "PYTHONPATH": path, "TMPDIR": str(temporary)}
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._step = 0

    def step(self, title: str, command: str, show: Callable[[str], str], status: int = 0) -> None:
        """Print a command, run it, and print what `show` returns for its output; `show` raises if it is unexpected."""
        self._step += 1
        print(f"\n{self._paint('1', f'{self._step}. {title}')}\n   {self._paint('36', f'$ {command}')}", flush=True)
        run = subprocess.run(
            command, shell=True, cwd=self._project, env=self._environment, text=True, capture_output=True, check=False
        )
        if run.returncode != status:
            raise DemoFailed(f"{command}\nexited {run.returncode}\n{run.stdout}{run.stderr}")
        try:
            shown = show(run.stdout)
        except (AssertionError, KeyError, ValueError, TypeError) as error:
            raise DemoFailed(f"{command}\nreturned\n{run.stdout}{run.stderr}") from error
        for line in shown.splitlines():
            print(f"   {line}", flush=True)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 only if every step gave the expected output."""
    Parser("python -m sandbox.demo", __doc__).parse_args(arguments)
    started = time.monotonic()
    print("One Lambda function in a hub account looks into other AWS accounts. All on this machine.", flush=True)
    try:
        with leftovers.folder("demo") as folder, ThreadPoolExecutor(1) as beside:
            copying = beside.submit(copy_project, Path(folder))  # a layer is made the first time: four seconds
            with running() as box, cleaning_up_undisturbed():
                targets = ", ".join(target.id for target in accounts.TARGETS)
                print(f"The sandbox is up: hub {accounts.HUB}, targets {targets}.", flush=True)
                run_steps(Demo(copying.result(), box.environment))
    except DemoFailed as failure:
        print(f"\nThe output of this step was unexpected:\n{failure}", file=sys.stderr)
        return 1
    except (SandboxNotStarted, LayerNotMade) as error:
        print(error, file=sys.stderr)
        return 1
    seconds = time.monotonic() - started
    print(f"\nAll results as expected, in {seconds:.0f} s. On AWS the commands are the same: see README.md.")
    print(SEE_THE_PAGE)
    return 0


def run_steps(demo: Demo) -> None:
    demo.step("Deploy the app into the hub", "chalice deploy --stage sandbox", deployed)
    demo.step("The identity in production", f"{INVOKE} switch_account < events/account.json", identity_of(PRODUCTION))
    demo.step("Its buckets", f"{INVOKE} switch_account < events/buckets.json", buckets)
    demo.step(
        "An account that does not have the role", f"{INVOKE} switch_account < events/no-role.json", denied(LEGACY)
    )
    demo.step("Deploy role-template.yaml there", f"python -m sandbox.deploy_role {LEGACY}", role_of(LEGACY))
    demo.step("The same invocation again", f"{INVOKE} switch_account < events/no-role.json", identity_of(LEGACY))
    demo.step(
        "An account whose role requires another external ID",
        f"{INVOKE} switch_account < events/other-external-id.json",
        denied(ACQUIRED),
    )
    demo.step("Every account of the organization at once", f"{INVOKE} sweep < events/sweep.json", swept)
    demo.step("Every function and its runtime, in every enabled region of every account", QUESTION, found, status=1)
    demo.step("Clean up", "chalice delete --stage sandbox", deleted)


def body_of(output: str, status: int) -> dict[str, Any]:
    response = json.loads(output)
    assert response["statusCode"] == status, response
    body: dict[str, Any] = json.loads(response["body"])
    return body


def deployed(output: str) -> str:
    names = [line.split(":")[-1] for line in output.splitlines() if ":function:" in line]
    assert len(names) >= 4, names  # you may have added functions
    return "\n".join(names)


def identity_of(account_id: str) -> Callable[[str], str]:
    def show(output: str) -> str:
        arn: str = body_of(output, 200)["result"]["arn"]
        assert arn.startswith(f"arn:aws:sts::{account_id}:assumed-role/external-role/"), arn
        return f"200  {arn}"

    return show


def buckets(output: str) -> str:
    result = body_of(output, 200)["result"]
    assert result["count"] == len(result["buckets"]) > 0
    return "\n".join(f"200  {bucket['name']:<28}{bucket['region']}" for bucket in result["buckets"])


def denied(account_id: str) -> Callable[[str], str]:
    def show(output: str) -> str:
        body = body_of(output, 500)
        error = body["error"]
        assert (error["type"], error["stage"], error["code"]) == ("AssumeRoleDenied", "assume", "AccessDenied"), error
        assert account_id in error["hint"]
        cause, *steps = error["hint"].splitlines()
        more = f"{len(steps) - STEPS_SHOWN} more steps in the response"
        return "\n".join([f"500  {body['message']}: {error['type']}", wrapped([cause, *steps[:STEPS_SHOWN], more])])

    return show


def role_of(account_id: str) -> Callable[[str], str]:
    def show(output: str) -> str:
        assert output.strip() == f"arn:aws:iam::{account_id}:role/external-role"
        return output.strip()

    return show


def swept(output: str) -> str:
    response = json.loads(output)
    lines = []
    for item in response["results"]:
        outcome = f"buckets: {item['result']['count']}" if item["ok"] else item["error"]["type"]
        lines.append(f"{item['account_id']}  {outcome:<18}{item['ms']:>5} ms")
    ok = {item["account_id"] for item in response["results"] if item["ok"]}
    assert {PRODUCTION, LEGACY} <= ok
    assert ACQUIRED not in ok
    assert not response["not_started"]
    return "\n".join(lines)


def found(output: str) -> str:
    table, _, rest = output.partition("\n\n")
    assert "python2.7" in table, output
    assert "CheckDenied" in rest, output
    return f"{table}\n[...]\n{output.splitlines()[-1]}"


def deleted(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith("Deleting")]
    assert any("cross-account-sandbox-switch_account" in line for line in lines), output
    return f"{len(lines)} resources deleted"


def wrapped(paragraphs: list[str]) -> str:
    lines = textwrap.TextWrapper(108, initial_indent="     - ", subsequent_indent="       ", break_on_hyphens=False)
    return "\n".join(line for paragraph in paragraphs for line in lines.wrap(paragraph))


if __name__ == "__main__":
    run(main)
