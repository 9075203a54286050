"""Letters: made into PDF, or handed over as PDF and looked at."""

from notify_sandbox.letters.post_room import Letters

__all__ = ["Letters"]
