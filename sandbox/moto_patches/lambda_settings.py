"""lambda:GetAccountSettings: a region's quotas, and what of them is used."""

import json
from typing import Any

CONCURRENT_EXECUTIONS = 1000
"""AWS's default. The sandbox enforces only what is reserved."""


def tell_account_settings() -> None:
    # moto lacks the operation. Delete this when it has it.
    from moto.awslambda.responses import LambdaResponse
    from moto.awslambda.urls import url_paths

    def get_account_settings(self: Any) -> str:
        functions, versions = self.backend.list_functions(), self.backend.list_functions("ALL")
        reserved = sum(int(function.reserved_concurrency or 0) for function in functions)
        limits = {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": CONCURRENT_EXECUTIONS,
            "UnreservedConcurrentExecutions": CONCURRENT_EXECUTIONS - reserved,
        }
        usage = {"TotalCodeSize": sum(one.code_size for one in versions), "FunctionCount": len(functions)}
        return json.dumps({"AccountLimit": limits, "AccountUsage": usage})

    url_paths[r"{0}/(?P<api_version>[^/]+)/account-settings/?$"] = LambdaResponse.dispatch
    LambdaResponse.get_account_settings = get_account_settings  # type: ignore[attr-defined]
