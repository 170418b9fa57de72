"""Fills moto's state of a service in an account and a region when it is first asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.base_backend import AccountSpecificBackend

Fill = Callable[[Any], None]
"""Puts what an account holds of a service in a region into moto's new state of it."""


def fill_when_asked(fills: Mapping[str, Fill]) -> None:
    """Let each of moto's states of these classes begin with what its function puts there.

    What nobody asks for is not even imported.
    """
    original = AccountSpecificBackend.__init__

    def __init__(self: Any, service_name: str, account_id: str, backend: Any, *args: Any, **kwargs: Any) -> None:
        fill = fills.get(backend.__name__)

        def begin(region_name: str, account_id: str) -> Any:
            state = backend(region_name, account_id)
            fill(state)  # type: ignore[misc]
            return state

        original(self, service_name, account_id, begin if fill else backend, *args, **kwargs)  # type: ignore[arg-type]

    AccountSpecificBackend.__init__ = __init__  # type: ignore[method-assign]
