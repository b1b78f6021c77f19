"""Two bars for each technique, as SVG.

Owns    the drawing. Never a measurement. Always a text that any browser shows, with nothing fetched from anywhere.
"""

from collections.abc import Sequence
from html import escape

__all__ = ["plot"]

ROW, BAR, LEFT, WIDTH = 34, 12, 150, 420
COLOURS = {"narrow": "#2f7d4f", "broad": "#3b6fb6", "traditional": "#a0522d"}


def plot(rows: Sequence[tuple[str, str, float, float]]) -> str:
    """Return a drawing of (name, kind, CPU seconds per GB, GB per second)."""
    height = 70 + ROW * len(rows)
    most_cpu = max((row[2] for row in rows), default=1.0) or 1.0
    most_rate = max((row[3] for row in rows), default=1.0) or 1.0
    size = f'width="{LEFT + WIDTH + 110}" height="{height}"'
    title = "CPU seconds per GB (solid: less is better), GB/s (hollow: more is better)"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="20" font-size="14">{title}</text>',
    ]
    for at, (name, kind, cpu, rate) in enumerate(rows):
        y = 44 + ROW * at
        colour = COLOURS.get(kind, "gray")
        parts += [
            f'<text x="10" y="{y + 14}">{escape(name)}</text>',
            _bar(y, cpu / most_cpu, f'fill="{colour}"'),
            _label(y, cpu / most_cpu, f"{cpu:.3f} s/GB"),
            _bar(y + BAR + 1, rate / most_rate, f'fill="none" stroke="{colour}"'),
            _label(y + BAR + 1, rate / most_rate, f"{rate:.2f} GB/s"),
        ]
    x = 10
    for kind, colour in COLOURS.items():
        parts.append(f'<rect x="{x}" y="{height - 18}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="{height - 9}">{kind}</text>')
        x += 110
    return "\n".join([*parts, "</svg>\n"])


def _bar(y: int, share: float, how: str) -> str:
    return f'<rect x="{LEFT}" y="{y}" width="{max(1.0, WIDTH * share):.1f}" height="{BAR}" {how}/>'


def _label(y: int, share: float, text: str) -> str:
    return f'<text x="{LEFT + WIDTH * share + 6:.1f}" y="{y + 10}" font-size="10">{text}</text>'
