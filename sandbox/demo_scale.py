"""`make demo-scale`: one question to 301 accounts through the state machine, with progress and a summary.

What runs is what gets deployed: sweep-template.yaml through CloudFormation, the definition in moto's engine, and the
functions from their packages, each under its own role. Then the documented queries read what was stored.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3
import duckdb
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from sandbox import accounts
from sandbox.demo import Demo, DemoFailed, deployed
from sandbox.project_copy import copy_project
from sandbox.running import Box, running
from sandbox.state_file import PROJECT

GENERATED, BATCH_SIZE = 295, 50
EVERYBODY = {accounts.HUB, *(target.id for target in (*accounts.TARGETS, *accounts.generated_targets(GENERATED)))}
REFUSING = {accounts.HUB} | {target.id for target in accounts.TARGETS if target.external_id != accounts.EXTERNAL_ID}
QUESTION = {"sweep": {"check": "s3_buckets"}}
LONGEST_SECONDS = 100.0


def main() -> int:
    """The exit status: 0 only if all of it came out right."""
    started = time.monotonic()
    print(f"One question to {len(EVERYBODY)} accounts, through Step Functions. All on this machine.", flush=True)
    try:
        with tempfile.TemporaryDirectory() as folder, running(accounts=GENERATED) as box:
            print(f"The sandbox is up: hub {accounts.HUB} and an organization of {len(EVERYBODY)} accounts.")
            tell(box, Path(folder))
    except DemoFailed as failure:
        print(f"\nThis did not come out as it should:\n{failure}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - started
    print(f"\nAll as it should be, in {seconds:.0f} s. On AWS: see docs/thousands-of-accounts.md.")
    return 0


def tell(box: Box, folder: Path) -> None:
    (folder / "project").mkdir()
    demo = Demo(copy_project(folder / "project"), box.environment)
    demo.step("Deploy the app into the hub", "chalice deploy --stage sandbox", deployed)
    outputs: list[str] = []

    def machine(output: str) -> str:
        outputs.extend(output.split())
        assert len(outputs) == 2, output
        return output.strip()

    demo.step(
        "Deploy the state machine and the bucket", f"python -m sandbox.deploy_sweep BatchSize={BATCH_SIZE}", machine
    )
    arn, bucket = outputs
    hub = session(box)
    print(
        f"\n3. Ask all of them\n   $ aws stepfunctions start-execution --input '{json.dumps(QUESTION)}' ...", flush=True
    )
    output = asked(hub, arn, bucket)
    print("\n4. What came of it")
    print(
        "   "
        + json.dumps({name: output[name] for name in ("summary", "failed", "location")}, indent=2).replace(
            "\n", "\n   "
        )
    )
    expect(set(output["failed"]) == REFUSING, output)
    expect(output["summary"]["ok"] == len(EVERYBODY - REFUSING), output)
    print("\n5. What the lines say: the queries of docs/thousands-of-accounts.md", flush=True)
    lines = downloaded(hub, bucket, folder / "results")
    expect({line["account_id"] for line in lines} == EVERYBODY and len(lines) == len(EVERYBODY), f"{len(lines)} lines")
    queried(folder / "results")


def asked(hub: Callable[[str], Any], arn: str, bucket: str) -> dict[str, Any]:
    """Start an execution, show how far it is, and give its output."""
    states, s3 = hub("stepfunctions"), hub("s3")
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps(QUESTION))["executionArn"]
    began = time.monotonic()
    batches, shown = -(-len(EVERYBODY) // BATCH_SIZE), -1
    while True:
        found = states.describe_execution(executionArn=execution)
        stored = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        done = sum("/batch-" in item["Key"] for item in stored)
        if done > shown:
            shown = done
            bar = "#" * done + "." * (batches - done)
            print(f"   {time.monotonic() - began:5.1f} s  {bar}  {done} of {batches} batches stored", flush=True)
        if found["status"] != "RUNNING":
            break
        expect(time.monotonic() - began < LONGEST_SECONDS, "The execution did not end.")
        time.sleep(0.2)
    expect(found["status"] == "SUCCEEDED", {name: found.get(name) for name in ("status", "error", "cause")})
    output: dict[str, Any] = json.loads(found["output"])
    return output


def downloaded(hub: Callable[[str], Any], bucket: str, folder: Path) -> list[dict[str, Any]]:
    """Copy the results as `aws s3 sync` does, and give their lines."""
    s3, lines = hub("s3"), []
    for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        path = folder / item["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
        lines += [json.loads(line) for line in path.read_text().splitlines()]
    return lines


def documented_queries() -> list[str]:
    """The DuckDB queries of docs/thousands-of-accounts.md: first the one that makes the view, then the questions."""
    document = (PROJECT / "docs" / "thousands-of-accounts.md").read_text()
    return re.findall(r"```sql\n(-- DuckDB: .*?)```", document, re.DOTALL)


def queried(folder: Path) -> None:
    view, *questions = documented_queries()
    with duckdb.connect() as database:
        database.execute(f"SET file_search_path = '{folder}'")
        database.execute(view)
        for question in questions:
            answer = database.execute(question)
            title = question.splitlines()[0].removeprefix("-- DuckDB: ")
            rows = answer.fetchall()
            expect(rows, f"No answer to: {title}")
            show(title, [column[0] for column in answer.description or ()], rows)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(highlight=False, width=116)
    console.print(f"\n   {title[0].upper()}{title[1:]}?\n")
    console.print(Padding(table, (0, 0, 0, 5)))


def session(box: Box) -> Callable[[str], Any]:
    """Makes clients in the hub, as the developer."""
    key, secret, token = (box.environment[name] for name in accounts.DEVELOPER_CREDENTIALS)
    hub: Any = boto3.Session(key, secret, token, region_name=accounts.REGION)
    return lambda service: hub.client(service, endpoint_url=box.endpoint_url)


def expect(right: object, what: object) -> None:
    if not right:
        raise DemoFailed(str(what))


if __name__ == "__main__":
    sys.exit(main())
