"""What a service is told of its notifications: recorded with what happened, kept as a feed, called back."""

from postroom.features.webhooks.calls_about import ToBeTold, Told, calls_about
from postroom.features.webhooks.record import (
    Actor,
    Created,
    Event,
    Kind,
    add,
    add_created,
    happened,
    record,
    record_of_many,
)
from postroom.features.webhooks.retry import Outcome
from postroom.features.webhooks.told import Subject, Subjects

__all__ = [
    "Actor",
    "Created",
    "Event",
    "Kind",
    "Outcome",
    "Subject",
    "Subjects",
    "ToBeTold",
    "Told",
    "add",
    "add_created",
    "calls_about",
    "happened",
    "record",
    "record_of_many",
]
