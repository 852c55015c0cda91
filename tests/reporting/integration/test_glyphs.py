"""Pictures with Japanese words show them: with boxes in their place, all words would look alike."""

from services.reporting.domain.pictures import bars
from services.reporting.gateways.drawing import Drawing


async def test_different_words_are_different_pictures(drawing: Drawing) -> None:
    pictures = {
        await drawing.draw(bars(title, "件数", [{"x": "区", "value": 1}]), "png")
        for title in ("川崎区の待ち", "高津区の待ち", "宮前区の待ち")
    }
    assert len(pictures) == 3
