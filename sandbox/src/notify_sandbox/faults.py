"""Ways in which the sandbox can fail on purpose."""

import random
from enum import StrEnum

from msgspec import Struct, field


class Fault(StrEnum):
    DOWN = "down"
    """The connection is cut without an answer."""
    SLOW = "slow"
    """The answer comes late."""
    ERROR = "error"
    """500, and nothing is taken in."""
    LIMITED = "limited"
    """429, and nothing is taken in."""
    RUBBISH = "rubbish"
    """A page that is no JSON, and nothing is taken in."""
    SILENT = "silent"
    """Nothing is taken in, and no answer ever comes."""
    TIMEOUT_AFTER_ACCEPTING = "timeout-after-accepting"
    """The message is taken in and goes its way, and no answer ever comes."""
    RESET_AFTER_ACCEPTING = "reset-after-accepting"
    """The message is taken in, and the connection is cut instead of an answer."""
    ERROR_AFTER_ACCEPTING = "error-after-accepting"
    """The message is taken in, and the answer is 500."""


class ReceiptFault(StrEnum):
    DOUBLED = "doubled"
    LOST = "lost"
    LATE = "late"
    DISORDERED = "disordered"


class ApiFault(Struct, kw_only=True, rename="camel"):
    """A fault for requests whose path begins so; for so many of them, or until it is taken away."""

    kind: Fault
    path: str = "/v2/"
    method: str | None = None
    times: int | None = None
    seconds: float = 1.0
    share: float = 1.0

    def fits(self, method: str, path: str) -> bool:
        return path.startswith(self.path) and self.method in (None, method)


class ReceiptFaultRule(Struct, kw_only=True, rename="camel"):
    kind: ReceiptFault
    times: int | None = None
    seconds: float = 1.0
    share: float = 1.0


class Faults(Struct, kw_only=True):
    """Those in force. The first that fits a request is the one that it meets."""

    api: list[ApiFault] = field(default_factory=list)
    receipts: list[ReceiptFaultRule] = field(default_factory=list)

    def clear(self) -> None:
        self.api.clear()
        self.receipts.clear()

    def next_for(self, method: str, path: str) -> ApiFault | None:
        for fault in self.api:
            if fault.fits(method, path) and random.random() < fault.share:  # noqa: S311
                self._use_up(fault, self.api)
                return fault
        return None

    def next_receipt_fault(self) -> ReceiptFault | None:
        for rule in self.receipts:
            if random.random() < rule.share:  # noqa: S311
                self._use_up(rule, self.receipts)
                return rule.kind
        return None

    def receipt_delay(self, fault: ReceiptFault) -> float:
        seconds = next((rule.seconds for rule in self.receipts if rule.kind is fault), 1.0)
        if fault is ReceiptFault.LATE:
            return seconds
        return random.uniform(0, seconds) if fault is ReceiptFault.DISORDERED else 0.0  # noqa: S311

    def _use_up(
        self, rule: ApiFault | ReceiptFaultRule, rules: "list[ApiFault] | list[ReceiptFaultRule]"
    ) -> None:
        if rule.times is None:
            return
        rule.times -= 1
        if rule.times <= 0:
            rules.remove(rule)  # type: ignore[arg-type]
