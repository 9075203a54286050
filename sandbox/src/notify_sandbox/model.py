"""What the sandbox keeps: services with their keys, templates with their versions, and what was sent."""

from enum import StrEnum

from msgspec import Struct, field

from notify_rules import limits


class Channel(StrEnum):
    EMAIL = "email"
    TEXT = "sms"
    LETTER = "letter"


class KeyType(StrEnum):
    LIVE = "live"
    TEAM = "team"
    TEST = "test"


DEVELOPER = "developer@sandbox.invalid"


class ApiKey(Struct, kw_only=True):
    id: str
    name: str
    secret: str
    key_type: KeyType
    created_at: float = 0.0
    revoked_at: float | None = None


class Limits(Struct, kw_only=True, frozen=True, rename="camel"):
    """How much a service may send: a minute by each key type, and a day by each channel."""

    per_minute: int = limits.MESSAGES_A_MINUTE
    emails: int = limits.EMAILS_A_DAY
    texts: int = limits.SMS_A_DAY
    international_texts: int = limits.INTERNATIONAL_SMS_A_DAY
    letters: int = limits.LETTERS_A_DAY


class Callback(Struct, kw_only=True, frozen=True, rename="camel"):
    url: str
    bearer_token: str


ALL_PERMISSIONS = ("email", "sms", "letter", "international_sms", "international_letters")


class Service(Struct, kw_only=True):
    id: str
    name: str
    email_from: str
    keys: list[ApiKey] = field(default_factory=list)
    active: bool = True
    trial_mode: bool = False
    permissions: tuple[str, ...] = ALL_PERMISSIONS
    limits: Limits = Limits()
    team: tuple[str, ...] = ()
    guest_list: tuple[str, ...] = ()
    contact_link: str | None = None
    reply_to: dict[str, str] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    sender: str = "development"
    text_prefix: str | None = None
    callback: Callback | None = None
    letter_contact: str | None = None
    retention_days: int = 7


class TemplateVersion(Struct, kw_only=True, frozen=True):
    version: int
    name: str
    body: str
    created_at: float
    subject: str | None = None
    postage: str | None = None
    letter_contact: str | None = None


class Template(Struct, kw_only=True):
    id: str
    service_id: str
    channel: Channel
    versions: list[TemplateVersion]
    created_by: str = DEVELOPER
    archived: bool = False
    hidden: bool = False
    alias: str | None = None
    seeded_as: str | None = None

    @property
    def current(self) -> TemplateVersion:
        return self.versions[-1]

    def at(self, version: int) -> TemplateVersion | None:
        return self.versions[version - 1] if 1 <= version <= len(self.versions) else None


class ReceiptState(Struct, kw_only=True):
    """One receipt on its way: when it is due, and how often it was tried."""

    due_at: float
    status: str
    tries: int = 0
    finished: str | None = None
    answers: list[str] = field(default_factory=list)


class Notification(Struct, kw_only=True):
    """A message that was accepted. `steps` is its whole course: where it stands depends on the time alone."""

    id: str
    position: int
    service_id: str
    key_id: str
    key_type: KeyType
    channel: Channel
    template_id: str
    template_version: int
    to: str
    created_at: float
    steps: list[tuple[float, str]]
    normalised_to: str = ""
    reference: str | None = None
    personalisation: dict[str, object] | None = None
    international: bool = False
    postage: str | None = None
    address: list[str] | None = None
    precompiled: bool = False
    unsubscribe_url: str | None = None
    reply_to: str | None = None
    document_ids: list[str] = field(default_factory=list)
    page_count: int = 0
    validation_message: str | None = None
    receipts: list[ReceiptState] = field(default_factory=list)
    receipt_fault: str | None = None

    def status(self, now: float) -> str:
        current = self.steps[0][1]
        for at, status in self.steps:
            if at > now:
                break
            current = status
        return current

    def reached(self, statuses: frozenset[str], now: float) -> float | None:
        """When it first came to one of these, if it has."""
        return next((at for at, status in self.steps if at <= now and status in statuses), None)


class Document(Struct, kw_only=True):
    """A file sent by email."""

    id: str
    service_id: str
    key: str
    filename: str
    mime_type: str
    content: bytes
    created_at: float
    retention_weeks: int = 26
    confirm_email: str | None = None


class ReceivedText(Struct, kw_only=True):
    id: str
    service_id: str
    user_number: str
    notify_number: str
    content: str
    created_at: float


FINAL = frozenset(
    {
        "sent",
        "delivered",
        "permanent-failure",
        "temporary-failure",
        "technical-failure",
        "validation-failed",
        "virus-scan-failed",
        "cancelled",
        "returned-letter",
    }
)
FAILED = frozenset(
    {
        "technical-failure",
        "temporary-failure",
        "permanent-failure",
        "validation-failed",
        "virus-scan-failed",
        "returned-letter",
    }
)
UNDER_WAY = frozenset({"sending", "sent"})
