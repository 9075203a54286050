"""GOV.UK Notify, the provider of emails, texts and letters."""

from postroom.channels.govuk_notify.answers import NotifyMessage, NotifyTemplate, TemplatePreview
from postroom.channels.govuk_notify.asking import asked_for_a_caller
from postroom.channels.govuk_notify.client import (
    NotifyClient,
    NotifyClients,
    NotifyLimited,
    NotifyRefusedKey,
    NotifyUnavailable,
)
from postroom.channels.govuk_notify.receipts import Receipt, status_of

__all__ = [
    "NotifyClient",
    "NotifyClients",
    "NotifyLimited",
    "NotifyMessage",
    "NotifyRefusedKey",
    "NotifyTemplate",
    "NotifyUnavailable",
    "Receipt",
    "TemplatePreview",
    "asked_for_a_caller",
    "status_of",
]
