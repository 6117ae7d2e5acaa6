"""A deal's score through time as a PNG: the bands behind, a dot per note, readable at the size of a chat message."""

import io
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from bot.desk import Course

WIDTH, HEIGHT = 880, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 64, 60
BANDS = ((0, "Cold", "#eef1f6"), (21, "Warming up", "#e3ebf6"), (41, "Engaged", "#dcefe6"), (61, "Hot", "#fdf0d9"),
         (81, "Closing", "#fbe3e0"))  # fmt: skip
INK, LINE, FAINT = "#1d2733", "#1f5fbf", "#6b7788"


def picture(course: Course) -> bytes:
    """The PNG, 880 x 420 pixels."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    _background(draw)
    draw.text((LEFT, 18), _title(course), fill=INK, font=_font(22))
    points = [(m.at.date(), m.health.score) for m in (*course.moments, course.now) if m.health.score is not None]
    if points:
        _curve(draw, points)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def alt_text(course: Course) -> str:
    """The same in words, for who cannot see it."""
    scores = [f"{m.health.score} on {_day(m.at.date())}" for m in course.moments if m.health.score is not None]
    if not scores:
        return f"Health of {course.account.name}: no notes yet."
    now = course.now.health
    return f"Health of {course.account.name} through time: {', '.join(scores[-12:])}; now {now.score}, {now.label}."


def _title(course: Course) -> str:
    health = course.now.health
    return (
        f"{course.account.name}: {health.score} · {health.label}" if health.score is not None else course.account.name
    )


def _background(draw: ImageDraw.ImageDraw) -> None:
    tops = [start for start, _, _ in BANDS[1:]] + [100]
    for (low, label, colour), high in zip(BANDS, tops, strict=True):
        draw.rectangle((LEFT, _y(high), WIDTH - RIGHT, _y(low)), fill=colour)
        draw.text((LEFT + 8, _y(high) + 4), label, fill=FAINT, font=_font(13))
    for score in (0, 20, 40, 60, 80, 100):
        draw.text((LEFT - 10, _y(score)), str(score), fill=FAINT, font=_font(13), anchor="rm")


def _curve(draw: ImageDraw.ImageDraw, points: Sequence[tuple[date, int]]) -> None:
    first, last = points[0][0], points[-1][0]
    span = max((last - first).days, 1)
    # To the left of the first dot stand the names of the bands.
    room = WIDTH - LEFT - RIGHT - 150
    placed = [(LEFT + 110 + room * (day - first).days / span, _y(score)) for day, score in points]
    draw.line(placed, fill=LINE, width=3, joint="curve")
    for x, y in placed:
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill="white", outline=LINE, width=3)
    # From the right: the last score is always told, and a label that would touch it is left out.
    free = float(WIDTH + 62)
    for (x, y), (day, score) in reversed(list(zip(placed, points, strict=True))):
        if free - x > 62:
            draw.text((x, y - 12), str(score), fill=INK, font=_font(15), anchor="ms")
            draw.text((x, HEIGHT - BOTTOM + 12), _day(day), fill=FAINT, font=_font(13), anchor="ma")
            free = x


def _y(score: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * score / 100


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow carries one typeface within itself: no font of the machine is needed.
    return ImageFont.load_default(size)
