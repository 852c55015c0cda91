"""Notices as postcards (はがき, 100 × 148 mm), one page each, with a QR code to the booking page.

The QR code names the page alone: a number in an address would end in the logs of its server. The
font is one that printers and readers bring along (Adobe-Japan1), so that none is shipped; it draws
no character outside the Basic Multilingual Plane and no variant (IVS): those are set as 〓, and the
line of the CSV has the exact characters.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

SIZE: Final = (100 * mm, 148 * mm)
_FONT: Final = "HeiseiKakuGo-W5"
_QR_MM: Final = 24
_LINE_CHARACTERS: Final = 20
_GETA: Final = "〓"
"""What printers set where they have no character."""


@dataclass(frozen=True, slots=True)
class Postcard:
    """What one page says; without a name the city's own system adds the address."""

    notice_number: str
    pickup_deadline: date
    card_reference: str
    name: str = ""
    address: str = ""


def drawable(text: str) -> bool:
    """Whether the font draws every character of ``text``."""
    return all(ord(character) <= 0xFFFF for character in text)


def pdf(cards: Sequence[Postcard], booking_url: str) -> bytes:
    """The pages, in the order given."""
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=SIZE, pageCompression=1)
    canvas.setTitle("交付通知書")
    _draw_code_once(canvas, booking_url)
    for card in cards:
        _page(canvas, card, booking_url)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw_code_once(canvas: Canvas, url: str) -> None:
    code = QrCodeWidget(url, barLevel="M", barBorder=4, barWidth=_QR_MM * mm, barHeight=_QR_MM * mm)
    drawing = Drawing(_QR_MM * mm, _QR_MM * mm)
    drawing.add(code)
    canvas.beginForm("booking-page")
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.endForm()


def _page(canvas: Canvas, card: Postcard, url: str) -> None:
    y = 136.0
    for line in (*_wrapped(card.address), *_wrapped(f"{card.name} 様" if card.name else "")):
        _text(canvas, 10, y, line, 10)
        y -= 6
    _text(canvas, 10, 98, "個人番号カード交付通知書", 14)
    _text(canvas, 10, 88, "カードの準備ができました。来庁日時をご予約ください。", 8)
    _text(canvas, 10, 76, "通知書番号", 8)
    _text(canvas, 10, 68, card.notice_number, 18)
    deadline = card.pickup_deadline
    _text(canvas, 10, 56, f"受取期限 {deadline.year}年{deadline.month}月{deadline.day}日", 11)
    _text(canvas, 10, 46, "予約には、この番号と生年月日が必要です。", 8)
    canvas.saveState()
    canvas.translate(66 * mm, 12 * mm)
    canvas.doForm("booking-page")
    canvas.restoreState()
    _text(canvas, 10, 22, "ご予約はこちら", 8)
    _text(canvas, 10, 17, url, 7)
    _text(canvas, 10, 8, card.card_reference, 6)


def _text(canvas: Canvas, x: float, y: float, text: str, size: int) -> None:
    canvas.setFont(_FONT, size)
    canvas.drawString(x * mm, y * mm, "".join(c if drawable(c) else _GETA for c in text))


def _wrapped(text: str) -> list[str]:
    return [text[n : n + _LINE_CHARACTERS] for n in range(0, len(text), _LINE_CHARACTERS)]
