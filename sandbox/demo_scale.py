"""Run one check in 300 accounts with the state machine, and print the progress and a summary.

    python -m sandbox.demo_scale     or: make demo-scale

It runs what is deployed: sweep-template.yaml through CloudFormation, the definition in moto, and the functions from
their packages, each under its own role. Then the documented queries read the stored results. It
needs nothing but this project: it starts a sandbox of its own, and ends it.
"""

import json
import re
import sys
import textwrap
import time

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from sandbox import accounts, leftovers
from sandbox.demo import Demo, DemoFailed, deployed
from sandbox.developer import Clients, clients
from sandbox.project_copy import LayerNotMade, copy_project
from sandbox.running import Box, SandboxNotStarted, running
from sandbox.state_file import PROJECT
from terminal.command import Parser, cleaning_up_undisturbed, run

GENERATED, BATCH_SIZE = 295, 50
ACCOUNTS = {target.id for target in (*accounts.TARGETS, *accounts.generated_targets(GENERATED))}
"""But for the hub, which is left out."""
DENIED = {target.id for target in accounts.TARGETS if target.external_id != accounts.EXTERNAL_ID}
INPUT = {"sweep": {"check": "s3_buckets"}}
MAX_SECONDS = 100.0


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 only if all results are as expected."""
    Parser("python -m sandbox.demo_scale", __doc__).parse_args(arguments)
    started = time.monotonic()
    print(f"One check in {len(ACCOUNTS)} accounts, with Step Functions. All on this machine.", flush=True)
    try:
        with leftovers.folder("demo") as folder, running(accounts=GENERATED) as box, cleaning_up_undisturbed():
            print(f"The sandbox is up: hub {accounts.HUB} and an organization of {len(ACCOUNTS)} other accounts.")
            run_steps(box, Path(folder))
    except DemoFailed as failure:
        print(f"\nThe output was unexpected:\n{failure}", file=sys.stderr)
        return 1
    except (SandboxNotStarted, LayerNotMade) as error:
        print(error, file=sys.stderr)
        return 1
    seconds = time.monotonic() - started
    print(f"\nAll results as expected, in {seconds:.0f} s. On AWS: see docs/thousands-of-accounts.md.")
    return 0


def run_steps(box: Box, folder: Path) -> None:
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
    hub = clients(box.endpoint_url, *(box.environment[name] for name in accounts.CREDENTIALS))
    print(
        f"\n3. Sweep all accounts\n   $ aws stepfunctions start-execution --input '{json.dumps(INPUT)}' ...", flush=True
    )
    output = run_execution(hub, arn, bucket)
    print("\n4. Output of the execution")
    shown = {name: output[name] for name in ("summary", "failed", "location")}
    print(textwrap.indent(json.dumps(shown, indent=2), "   "))
    expect(set(output["failed"]) == DENIED, output)
    expect(output["summary"]["ok"] == len(ACCOUNTS - DENIED), output)
    print("\n5. Results: the queries of docs/thousands-of-accounts.md", flush=True)
    lines = download(hub, bucket, folder / "results")
    expect({line["account_id"] for line in lines} == ACCOUNTS and len(lines) == len(ACCOUNTS), f"{len(lines)} lines")
    run_queries(folder / "results")


def run_execution(hub: Clients, arn: str, bucket: str) -> dict[str, Any]:
    """Start an execution, print its progress, and return its output."""
    states, s3 = hub("stepfunctions"), hub("s3")
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps(INPUT))["executionArn"]
    started = time.monotonic()
    batches, shown = -(-len(ACCOUNTS) // BATCH_SIZE), -1
    while True:
        found = states.describe_execution(executionArn=execution)
        stored = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        done = sum("/batch-" in item["Key"] for item in stored)
        if done > shown:
            shown = done
            bar = "#" * done + "." * (batches - done)
            print(f"   {time.monotonic() - started:5.1f} s  {bar}  {done} of {batches} batches stored", flush=True)
        if found["status"] != "RUNNING":
            break
        expect(time.monotonic() - started < MAX_SECONDS, f"The execution did not end in {MAX_SECONDS:.0f} s.")
        time.sleep(0.2)
    expect(found["status"] == "SUCCEEDED", {name: found.get(name) for name in ("status", "error", "cause")})
    output: dict[str, Any] = json.loads(found["output"])
    return output


def download(hub: Clients, bucket: str, folder: Path) -> list[dict[str, Any]]:
    """Copy the bucket as `aws s3 sync` does, and return the lines of the results."""
    s3, lines = hub("s3"), []
    for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        path = folder / item["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
        if item["Key"].startswith("sweeps/"):
            lines += [json.loads(line) for line in path.read_text().splitlines()]
    return lines


def documented_queries() -> list[str]:
    """Returns the DuckDB queries of docs/thousands-of-accounts.md; the first two create views."""
    document = (PROJECT / "docs" / "thousands-of-accounts.md").read_text()
    return re.findall(r"```sql\n(-- DuckDB: .*?)```", document, re.DOTALL)


def run_queries(folder: Path) -> None:
    import duckdb  # here, because tests/e2e imports this module for the queries: see tests/conftest.py

    results, accounts, *queries = documented_queries()
    with duckdb.connect() as database:
        database.execute(f"SET file_search_path = '{folder}'")
        database.execute(results)
        database.execute(accounts)
        for query in queries:
            result = database.execute(query)
            title = query.splitlines()[0].removeprefix("-- DuckDB: ")
            rows = result.fetchall()
            expect(rows, f"This query returned an empty result: {title}")
            show(title, [column[0] for column in result.description or ()], rows)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(highlight=False, width=116)
    console.print(f"\n   {title[0].upper()}{title[1:]}\n")
    console.print(Padding(table, (0, 0, 0, 5)))


def expect(condition: object, details: object) -> None:
    if not condition:
        raise DemoFailed(str(details))


if __name__ == "__main__":
    run(main)
