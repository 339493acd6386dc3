"""
Bar charts with axes, as the numbers of inline SVG; no HTML.
"""

from collections.abc import Sequence

import attrs


# In units of the drawing: its size, and the corner where the axes meet.
WIDTH, HEIGHT = 360, 150
LEFT, BOTTOM = 46, 126
_TOP, _RIGHT = 12, 352
# A few bars are not drawn wider than that.
_WIDEST = 40
# So wide are the labels of the first and the last bar together, at most.
_LEAST = 200
_NICE = (1, 2, 5)


@attrs.frozen(kw_only=True)
class Value:
    """
    What one bar stands for.

    Attributes:
        label: Below it, if there is room.
        title: All that is to be said of it.
    """

    number: int
    label: str
    title: str
    tone: str


@attrs.frozen(kw_only=True)
class Bar:
    """
    A bar where it is drawn.
    """

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str


@attrs.frozen(kw_only=True)
class Tick:
    """
    A label beside an axis, and its place on it.
    """

    at: float
    label: str
    anchor: str = "middle"


@attrs.frozen(kw_only=True)
class Plot:
    """
    A bar chart.

    Attributes:
        name: What is counted, over what.
        levels: Labels of the vertical axis; `moments`: of the horizontal one.
    """

    name: str
    bars: tuple[Bar, ...]
    levels: tuple[Tick, ...]
    moments: tuple[Tick, ...]

    @classmethod
    def of(cls, name: str, values: Sequence[Value]) -> "Plot | None":
        """
        Oldest first, from left to right; None if there is nothing to draw.
        """
        if not any(value.number for value in values):
            return None

        most = _nice(max(value.number for value in values))
        step = min((_RIGHT - LEFT) / len(values), _WIDEST)
        levels = (0, most // 2, most) if most > 1 else (0, 1)

        return cls(
            name=name,
            bars=tuple(_bar(value, LEFT + n * step, step, most) for n, value in enumerate(values)),
            levels=tuple(Tick(at=_height(level, most), label=f"{level:,}") for level in levels),
            moments=tuple(_moments(values, LEFT + len(values) * step)),
        )


def _bar(value: Value, x: float, step: float, most: int) -> Bar:
    y = _height(value.number, most)

    return Bar(
        x=round(x + step * 0.12, 1),
        y=y,
        width=round(step * 0.76, 1),
        height=round(BOTTOM - y, 1),
        tone=value.tone,
        title=value.title,
    )


def _height(number: int, most: int) -> float:
    return round(BOTTOM - (BOTTOM - _TOP) * number / most, 1)


def _moments(values: Sequence[Value], right: float) -> list[Tick]:
    first = Tick(at=LEFT, label=values[0].label, anchor="start")
    last = Tick(at=right, label=values[-1].label, anchor="end")

    # There is no room for both below a few bars.
    return [first, last] if right - LEFT >= _LEAST else [first]


def _nice(number: int) -> int:
    """
    The next of 1, 2, 5, 10, 20, 50 …: people read these at a glance.
    """
    scale = int(10 ** (len(str(number)) - 1))

    return next(step * scale for step in (*_NICE, 10) if step * scale >= number)
