"""What a check may know of the organization: a scanner of one account cannot tell who belongs to it, the hub can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

NOT_READ = "The organization could not be read: only the hub and the account itself are known."


@dataclass(frozen=True)
class Organization:
    """What is known of the organization. A check whose second argument is `organization` is given it.

    Attributes:
        accounts: the ids of all its accounts; None: it was not read, or could not be.
        id: such as o-a1b2c3d4e5; None: not known.
        hub: the hub's account id; None: not known.
        analyzers: of a region, the ARNs of Access Analyzer's active analyzers for the whole organization; None: they
            could not be read.
    """

    accounts: frozenset[str] | None = None
    id: str | None = None
    hub: str | None = None
    analyzers: Callable[[str], Sequence[str] | None] = lambda region: None

    def has(self, account_id: str) -> bool:
        """Whether an account is known to be of it. If the organization is not known, the hub alone is."""
        return account_id == self.hub or account_id in (self.accounts or ())

    @property
    def limits(self) -> str:
        """A sentence for the reason of a finding that depends on who belongs to it; empty if that is known."""
        return "" if self.accounts is not None else NOT_READ


UNKNOWN = Organization()
