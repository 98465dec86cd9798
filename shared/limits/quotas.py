"""A tenant's quotas over time, as its plan's figures say (T1, T4). Quotas of things (bases, storage) are theirs."""

from shared.limits.rules import Window
from shared.tenancy.plans import Figures

HOUR_S = 3600
MINUTE_S = 60
DAY_S = 24 * HOUR_S

TOKENS = "tokens_per_day"


def api_calls(figures: Figures) -> Window:
    return Window("api_calls_per_hour", figures.api_calls_per_hour, HOUR_S)


def vector_operations(figures: Figures) -> Window:
    """Searches of the chunk index; a search by words and by meaning together is one."""
    return Window("vector_operations_per_minute", figures.vector_operations_per_minute, MINUTE_S)


def tokens(figures: Figures) -> Window:
    """Tokens of what callers let a model read; what Tessera reads for itself (documents) is not counted."""
    return Window(TOKENS, figures.tokens_per_day, DAY_S)


def quotas_of(figures: Figures) -> tuple[Window, ...]:
    """Return every quota over time."""
    return (api_calls(figures), vector_operations(figures), tokens(figures))
