"""
Several operations in one HTTP request, each answered by itself and all together.

Behind Django they run one after the other, in front of it a few at a time; what a client may rely on is the
order of the answers.
"""

import asyncio
from typing import Any

from fraiseql.conf import Settings
from fraiseql.db.horizon import Horizon
from fraiseql.engine.document.request import Batch, Budget, GraphQLRequest
from fraiseql.engine.pipeline import FORWARD, execute, execute_async, get_engine
from fraiseql.engine.result import envelope
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.viewer import Viewer
from fraiseql.errors import BadRequest

AT_ONCE = 4
"""Operations of one batch that run at a time: a batch takes no more of the pool than some clients do."""


def run(batch: Batch, context: Any, viewer: Viewer, horizon: Horizon | None = None) -> Response:
    """Return the responses of a batch, on Django's connection."""
    engine = get_engine()
    return envelope.batch(
        [
            envelope.refusal(item, engine.debug)
            if isinstance(item, BadRequest)
            else execute(item, context, viewer=viewer, horizon=horizon)
            for item in _on_one_budget(batch, engine.settings)
        ]
    )


async def run_async(batch: Batch, viewer: Viewer, horizon: Horizon | None = None) -> Response:
    """
    Return the same through the asynchronous pool, or FORWARD if an operation needs graphene's executor.
    """
    engine = get_engine()
    if not all(isinstance(item, BadRequest) or engine.is_fast(item) for item in batch):
        return FORWARD
    room = asyncio.Semaphore(AT_ONCE)

    async def answer(item: GraphQLRequest | BadRequest) -> Response:
        if isinstance(item, BadRequest):
            return envelope.refusal(item, engine.debug)
        async with room:
            return await execute_async(item, fast_only=True, viewer=viewer, horizon=horizon)

    async with asyncio.TaskGroup() as group:
        items = _on_one_budget(batch, engine.settings)
        tasks = [group.create_task(answer(item)) for item in items]
    return envelope.batch([task.result() for task in tasks])


def _on_one_budget(batch: Batch, settings: Settings) -> Batch:
    if not settings.MAX_COST:
        return batch
    budget = Budget(settings.MAX_COST)
    return tuple(
        item if isinstance(item, BadRequest) else item._replace(budget=budget) for item in batch
    )
