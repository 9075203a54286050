"""The plan of a run: what is posted when, and what is done to whom. The same seed makes the same plan."""

import random
from collections import Counter

import msgspec

from chaos.mischief import Deed, plan_deeds
from chaos.traffic import Post, plan_posts


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    seed: int
    database: str
    seconds: float
    posts: tuple[Post, ...]
    deeds: tuple[Deed, ...]

    @property
    def notifications(self) -> int:
        return sum(len(post.items) for post in self.posts)


def make_plan(*, seed: int, database: str, seconds: float, per_second: float) -> Plan:
    """All that a run will do. What is posted and what goes wrong are drawn apart: each stays as it is
    where the other is changed."""
    posts = plan_posts(random.Random(f"posts {seed}"), seconds=seconds, per_second=per_second)
    deeds = plan_deeds(random.Random(f"deeds {database} {seed}"), database=database, seconds=seconds)
    return Plan(seed=seed, database=database, seconds=seconds, posts=posts, deeds=deeds)


def described(plan: Plan) -> str:
    """The plan for a reader: every deed, and the posts by their kinds."""
    posts = Counter(kind for post in plan.posts for kind in post.kinds)
    lines = [
        f"seed {plan.seed} on {plan.database}: {plan.notifications} notifications "
        f"in {len(plan.posts)} requests over {plan.seconds:.0f} s, {len(plan.deeds)} deeds",
        "  posts: " + ", ".join(f"{count} {kind}" for kind, count in posts.most_common()),
    ]
    return "\n".join([*lines, *(f"  {deed.at:7.2f}  {deed.in_words}" for deed in plan.deeds)])
