"""What a caller is told where GOV.UK Notify, asked on their behalf, does not answer: said once."""

from collections.abc import Iterator
from contextlib import contextmanager

from postroom.channels.govuk_notify.client import NotifyLimited, NotifyRefusedKey, NotifyUnavailable
from postroom.domain.errors import Busy, ProviderRefusedKey


@contextmanager
def asked_for_a_caller() -> Iterator[None]:
    """Turns the provider's refusals into ProviderRefusedKey, or Busy with when to ask again."""
    try:
        yield
    except NotifyRefusedKey:
        raise ProviderRefusedKey("service key rejected") from None
    except NotifyLimited:
        raise Busy("GOV.UK Notify asks to call less often.", retry_after_seconds=30) from None
    except NotifyUnavailable:
        raise Busy("GOV.UK Notify does not answer now.", retry_after_seconds=5) from None
