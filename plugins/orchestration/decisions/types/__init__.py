"""The decision types: one module each, with the model of its ``schedule``, its checks and its sentence.

A type is a subclass of Workflow. A new type needs its module, and its class in ``TYPES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union, get_args

from pydantic import Field

from orchestration.decisions.types.cron_with_condition import CronWithConditionWorkflow
from orchestration.decisions.types.discovery import DiscoveryWorkflow
from orchestration.decisions.types.freshness import FreshnessWorkflow
from orchestration.decisions.types.game_aware import GameAwareWorkflow
from orchestration.decisions.types.game_aware_early import EarlyGameWorkflow
from orchestration.decisions.types.game_aware_yesterday import PostGameWorkflow
from orchestration.decisions.types.self_aware import SelfAwareWorkflow
from orchestration.vocabulary.workflows import Workflow

TYPES: tuple[type[Workflow], ...] = (
    SelfAwareWorkflow,
    GameAwareWorkflow,
    PostGameWorkflow,
    EarlyGameWorkflow,
    DiscoveryWorkflow,
    FreshnessWorkflow,
    CronWithConditionWorkflow,
)
NAMES: tuple[str, ...] = tuple(get_args(one.model_fields["decision_type"].annotation)[0] for one in TYPES)
"""The values of ``decision_type``."""

if TYPE_CHECKING:
    AnyWorkflow = Workflow
else:
    AnyWorkflow = Annotated[Union[TYPES], Field(discriminator="decision_type")]  # noqa: UP007
