"""The mirror: what somebody said beforehand beside how it went, read for its owner alone, in words and in plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from immersive.work import calibration
from immersive.work.calibration import Bias, Point, Said, Step
from immersive.work.models import CONFIDENCE, Outcome

if TYPE_CHECKING:
    from knowledge.access import Viewer

WORDS = {percent / 100: words for percent, words in CONFIDENCE}
AS_MUCH = "as much"
WIDEST = 0.4
"""The most that the bias plot shows to either side, in parts of 1."""


def said(viewer: Viewer) -> list[Said]:
    """What the viewer said of each finished task beside how it went."""
    rows = Outcome.objects.visible_to(viewer).values_list("task__assessment__confidence", "result")
    return [Said(confidence / 100, result) for confidence, result in rows if confidence is not None]


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a plot, its places in percent of the plot's width and height, as SVG wants them."""

    x: str
    y: str
    r: str


@dataclass(frozen=True, slots=True)
class Look:
    """What the page shows: all that the outcomes bear and no more."""

    found: calibration.Mirror

    @property
    def lede(self) -> str:
        """The whole in a sentence or two, about what was said and never about the person."""
        found = self.found
        if found.bias is not None:
            return _of_bias(found.bias, found.outcomes)
        if found.steps:
            return said_often(found.steps)
        if found.outcomes:
            some = "One outcome" if found.outcomes == 1 else f"{found.outcomes} outcomes"
            return f"{some} so far. That is too early: chance would say more than you."
        return (
            "Say how sure you are before a task and how it went after it. From five outcomes on you see them together."
        )

    @property
    def next(self) -> str:
        """What more outcomes will bring, and how many are missing."""
        found = self.found
        brings = {
            calibration.COUNTS_FROM: "how often each of your words came true",
            calibration.BIAS_FROM: "whether you are surer than it turns out, or less sure",
            calibration.CURVE_FROM: "how all five words came true, drawn as a curve",
        }
        rung = next((rung for rung in brings if rung > found.outcomes), 0)
        more = "one more outcome" if rung - found.outcomes == 1 else f"{rung - found.outcomes} more outcomes"
        return f"After {more} you see {brings[rung]}." if rung else ""

    @property
    def rows(self) -> tuple[tuple[Step, str], ...]:
        """The five steps, each with its word."""
        return tuple((step, WORDS[step.sure]) for step in self.found.steps)

    @property
    def bias_words(self) -> str:
        """The bias with its band, in points of a hundred."""
        if (bias := self.found.bias) is None:
            return ""
        low, size, high = (_points(part) for part in (bias.low, bias.size, bias.high))
        said = f"{size} than" if size != AS_MUCH else f"{AS_MUCH} as"
        return f"You said {said} it turned out, in 80 % of cases between {low} and {high}."

    @property
    def marks(self) -> tuple[tuple[tuple[str, str], str], ...]:
        """Where the grid of the plot runs, across and down, and what stands there."""
        return tuple(((f"{9 + 0.88 * at:.1f}%", f"{88 - 0.84 * at:.1f}%"), str(at)) for at in (0, 25, 50, 75, 100))

    @property
    def dots(self) -> tuple[Dot, ...]:
        """The five words where they were said: said along, went up."""
        most = max((step.times for step in self.found.steps), default=1) or 1
        return tuple(
            Dot(f"{9 + 88 * step.sure:.1f}%", f"{88 - 84 * step.rate:.1f}%", f"{4 + 5 * step.times / most:.1f}")
            for step in self.found.steps
            if step.times
        )

    @property
    def band(self) -> str:
        """The corners of the band of mere chance, in a square of 100."""
        return _corners(self.found.curve)

    @property
    def line(self) -> str:
        """The curve in the same square."""
        return " ".join(f"{100 * point.sure:.1f},{100 * (1 - point.fits):.1f}" for point in self.found.curve)

    @property
    def bias_at(self) -> tuple[str, str, str] | None:
        """Where the bias lies on a line from less sure to surer, and where its band begins and how wide it is, in
        percent."""
        if (bias := self.found.bias) is None:
            return None
        low, at, high = (50 + 50 * max(-1.0, min(1.0, part / WIDEST)) for part in (bias.low, bias.size, bias.high))
        return f"{at:.1f}%", f"{low:.1f}%", f"{high - low:.1f}%"


def look(viewer: Viewer) -> Look:
    """The viewer's own mirror."""
    return Look(calibration.mirror(said(viewer)))


def said_often(steps: Sequence[Step]) -> str:
    """How the word that was said most often came out, in counts."""
    most = max(steps, key=lambda step: step.times)
    worked = f"{most.worked:g}"
    return f"You said “{WORDS[most.sure]}” {_times(most.times)}; {worked} of them worked."


def _points(part: float) -> str:
    """A part of 1 as points of a hundred, more or less."""
    points = round(100 * part)
    if not points:
        return AS_MUCH
    return f"{abs(points)} point{'s' * (abs(points) > 1)} {'more' if points > 0 else 'less'}"


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def _of_bias(bias: Bias, outcomes: int) -> str:
    points = round(abs(bias.size) * 100)
    if bias.word == "over-sure":
        return (
            f"It goes well somewhat less often than you say, by about {points} points. "
            "Before the next one, name the step that you know least."
        )
    if bias.word == "under-sure":
        return (
            f"It goes well more often than you say, by about {points} points. "
            "It may be worth trying alone a little sooner."
        )
    return f"What you say and how it goes lie close together, as far as {outcomes} outcomes can tell."


def _corners(curve: Sequence[Point]) -> str:
    up = [f"{100 * point.sure:.1f},{100 * (1 - point.high):.1f}" for point in curve]
    down = [f"{100 * point.sure:.1f},{100 * (1 - point.low):.1f}" for point in reversed(curve)]
    return " ".join(up + down)
