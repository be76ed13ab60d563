"""One look for all figures: colour-blind safe, readable at half width, the papers' terms on the axes."""

import matplotlib.pyplot as plt
import seaborn
from IPython.display import display

WIDTH = 7.0  # inches: a figure is shown at full or half of a page's width
PALETTE = "colorblind"


def use() -> None:
    """Set the course's figure style."""
    seaborn.set_theme(style="whitegrid", palette=PALETTE, context="notebook", font_scale=0.9)
    plt.rcParams.update(
        {
            "figure.figsize": (WIDTH, 3.6),
            "figure.dpi": 100,
            "savefig.bbox": "tight",
            "svg.hashsalt": "rednet",  # the same figure is the same file
            "svg.fonttype": "none",
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "figure.constrained_layout.use": True,
        }
    )


def colours(count: int) -> list[tuple[float, float, float]]:
    """So many of the palette's colours."""
    return seaborn.color_palette(PALETTE, count)


def picture_axes(axes, image, title: str = "") -> None:
    """Show a picture on axes, without ticks."""
    axes.imshow(image)
    axes.set_title(title)
    axes.set_axis_off()


def show(figure) -> None:
    """Display a figure once and close it (inline back ends would draw it twice)."""
    display(figure)
    plt.close(figure)
