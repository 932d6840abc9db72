"""The types of the component's attributes, and how templates in them are rendered.

Where Dagster has an attribute of the same name, it is written as there.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

import dagster as dg

_T = TypeVar("_T")


def _text(context: dg.ResolutionContext, value: Any) -> str | None:
    """Render templates; text that looks like a number stays text."""
    return None if value is None else str(context.resolve_value(value))


def _part(context: dg.ResolutionContext, value: Any) -> Any:
    """Render templates in a path; what is written out is taken as it would be from a file."""
    return _text(context, value) if isinstance(value, str) else value


Text = Annotated[
    str | None,
    dg.Resolver(_text, model_field_type=str | None, inject_before_resolve=False),
]
Part = Annotated[
    str | dict[str, Any] | None,
    dg.Resolver(
        _part,
        model_field_type=str | dict[str, Any] | None,
        inject_before_resolve=False,
    ),
]


class RetryPolicyModel(dg.Resolvable, dg.Model):
    """How often a failed op is tried again, as ``dagster.RetryPolicy`` takes it."""

    max_retries: int = 1
    delay: float | None = None
    backoff: Literal["linear", "exponential"] | None = None
    jitter: Literal["full", "plus_minus"] | None = None


def _tags(context: dg.ResolutionContext, value: Any) -> dict[str, str]:
    """Render templates; values that are no text become text, as in Dagster's own tags."""
    return {name: str(value) for name, value in context.resolve_value(value or {}).items()}


def _retry_policy(context: dg.ResolutionContext, value: Any) -> dg.RetryPolicy | None:
    """Return the policy of a mapping, or what a template gives."""
    if isinstance(value, str | None):
        return _instance(dg.RetryPolicy)(context, value)
    return dg.RetryPolicy(
        max_retries=context.resolve_value(value.max_retries),
        delay=context.resolve_value(value.delay),
        backoff=dg.Backoff[value.backoff.upper()] if value.backoff else None,
        jitter=dg.Jitter[value.jitter.upper()] if value.jitter else None,
    )


def _instance(kind: type[_T]) -> Callable[[dg.ResolutionContext, Any], _T | None]:
    """Return a resolver of templates that give an object of Dagster's."""

    def resolve(context: dg.ResolutionContext, value: Any) -> _T | None:
        resolved = context.resolve_value(value)
        if resolved is None or isinstance(resolved, kind):
            return resolved
        raise ValueError(
            f"'{value}' is not of type {kind.__name__}; use a template that returns one, such as "
            f"{{{{ dg.{kind.__name__}... }}}} or a template variable of your own"
        )

    return resolve


Tags = Annotated[
    Mapping[str, str],
    dg.Resolver(_tags, model_field_type=Mapping[str, str | int | float | bool]),
]
RetryPolicy = Annotated[
    dg.RetryPolicy | None,
    dg.Resolver(_retry_policy, model_field_type=str | RetryPolicyModel.model() | None),
]
FreshnessPolicy = Annotated[
    dg.FreshnessPolicy | None,
    dg.Resolver(_instance(dg.FreshnessPolicy), model_field_type=str | None),
]
AutomationCondition = Annotated[
    dg.AutomationCondition | None,
    dg.Resolver(_instance(dg.AutomationCondition), model_field_type=str | None),
]
