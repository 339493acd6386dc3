"""
How late runs of a fleet begin, as lines of text.
"""

from collections.abc import Iterator, Mapping, Sequence

from conexxus_sync.model.runs import RunKind


def percentile(values: Sequence[float], share: float) -> float:
    """
    The value that this *share* of all do not exceed.
    """
    ordered = sorted(values)

    return ordered[max(int(len(ordered) * share + 0.999999) - 1, 0)]


def lag_lines(lags: Mapping[tuple[str, RunKind], Sequence[float]]) -> Iterator[str]:
    """
    By the kind of the stores and of the runs.
    """
    for (kind, run), found in sorted(lags.items()):
        yield (
            f"  {kind:14} {run:10} {len(found):8,} runs; begin after "
            f"{percentile(found, 0.5):5.0f} s (median), {percentile(found, 0.99):5.0f} s (p99), "
            f"{max(found):5.0f} s (most)"
        )
