"""The public page: right figures, both languages, readable by machines that read aloud."""

import re
from html.parser import HTMLParser

import pytest

from tests.reporting.conftest import Reporting
from tests.reporting.histories import RENEWAL, done, tokyo


class Reader(HTMLParser):
    """What a page holds: start tags with their attributes, and the words of table cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        """A cell ends."""
        self._inside = None if tag in ("td", "th") else self._inside

    def handle_data(self, data: str) -> None:
        """Keep a cell's words."""
        if self._inside in ("td", "th", "time", "small") and self.cells:
            self.cells[-1] += data.strip()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


async def page(reporting: Reporting, query: str = "", **headers: str) -> tuple[str, Reader]:
    """The page as anybody gets it."""
    answer = await reporting.get(f"/dashboard{query}", None, **headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text, Reader(answer.text)


async def test_figures_are_those_of_the_report(reporting: Reporting) -> None:
    april = tokyo(2026, 4, 10)
    await reporting.hear([done(n, april) for n in range(1201)])
    await reporting.hear([done(5000, tokyo(2026, 7, 1), procedure=RENEWAL)])
    _, reader = await page(reporting, "?lang=en")
    start = reader.cells.index("(1) Cards issued")
    # Of May and June nothing was told, which is no 0; July runs.
    assert reader.cells[start + 1 : start + 14] == ["1,201", "–", "–", "0", *["–"] * 8, "1,201"]
    assert reader.cells[-1] == "1,202"


@pytest.mark.parametrize(
    ("query", "header", "language", "words"),
    [
        ("", "ja,en;q=0.5", "ja", "令和8年度（2026年度）"),
        ("", "en-GB", "en", "FY R8 (April 2026 – March 2027)"),
        ("?lang=ja", "en", "ja", "マイナンバーカード"),
        ("?lang=en&fiscal_year=2024", "ja", "en", "FY R6 (April 2024 – March 2025)"),
    ],
)
async def test_language_and_era(
    reporting: Reporting, query: str, header: str, language: str, words: str
) -> None:
    text, reader = await page(reporting, query, accept_language=header)
    assert reader.all("html") == [{"lang": language}]
    assert words in text


async def test_it_can_be_read_without_eyes(reporting: Reporting) -> None:
    await reporting.hear([done(1, tokyo(2026, 4, 10))])
    _, reader = await page(reporting)
    assert len(reader.all("caption")) == 1
    scopes = [head["scope"] for head in reader.all("th")]
    assert scopes == ["col"] * 14 + ["row"] * 3
    (chart,) = reader.all("svg")
    ids = {attributes.get("id") for _, attributes in reader.tags}
    assert chart["role"] == "img"
    assert set((chart["aria-labelledby"] or "").split()) <= ids
    assert len(reader.all("h1")) == len(reader.all("main")) == 1


async def test_nothing_comes_from_elsewhere_and_nothing_runs(reporting: Reporting) -> None:
    text, reader = await page(reporting)
    assert not re.search(r"https?://", text)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") for _, each in reader.tags for name in each)
    policy = (await reporting.get("/dashboard", None)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


async def test_an_empty_year_says_so(reporting: Reporting) -> None:
    text, reader = await page(reporting, "?lang=ja&fiscal_year=2030")
    assert "この年度に完了した手続はまだありません。" in text
    assert not reader.all("svg")


async def test_years_lead_to_each_other_where_there_are_figures(reporting: Reporting) -> None:
    await reporting.hear([done(1, tokyo(2025, 5, 1))])
    _, now = await page(reporting)
    _, before = await page(reporting, "?fiscal_year=2025")
    assert [link["rel"] for link in now.all("a") if "rel" in link] == ["prev"]
    assert [link["rel"] for link in before.all("a") if "rel" in link] == ["next"]


async def test_who_has_the_page_is_spared_it(reporting: Reporting) -> None:
    tag = (await reporting.get("/dashboard", None)).headers["etag"]
    assert (await reporting.get("/dashboard", None, if_none_match=tag)).status_code == 304


async def test_it_stands_before_a_replayed_clock_has_begun(reporting: Reporting) -> None:
    reporting.clock.set(tokyo(1970, 1, 1, 9))
    text, _ = await page(reporting, "?lang=ja")
    assert "令和元年度（2019年度）" in text


async def test_the_month_that_runs_is_marked_and_staff_find_their_pages(
    reporting: Reporting,
) -> None:
    await reporting.hear([done(1, tokyo(2026, 4, 10)), done(2, tokyo(2026, 7, 10))])
    text, reader = await page(reporting, "?lang=en&fiscal_year=2026")
    assert [each for each in reader.cells if each.endswith("so far")] == ["Julso far"]
    assert 'href="dashboard/today?lang=en"' in text
    assert (
        "途中" not in (await page(reporting, "?lang=ja&fiscal_year=2025"))[0].split("<footer>")[0]
    )
