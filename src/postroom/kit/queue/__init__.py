"""Carrying ids of what is due to who does it. The tables hold the truth; a queue may lose or double."""

from postroom.kit.queue.contract import Job, JobQueue, Slots

__all__ = ["Job", "JobQueue", "Slots"]
