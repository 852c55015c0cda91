"""Drawing pages: template, style and script in one answer, and a policy that lets only these be."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.responses import HTMLResponse

_FOLDER = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True, slots=True)
class Page:
    """A template with its style sheet and script."""

    template: Template
    css: str
    js: str

    def answer(self, status: int = 200, **shown: object) -> HTMLResponse:
        """The page as it is now; never kept by anybody on the way."""
        html = self.template.render(css=self.css, js=self.js, **shown)
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": self._policy(),
            # With none at all, a browser does not say either that a form is from here.
            "Referrer-Policy": "same-origin",
        }
        return HTMLResponse(html, status, headers)

    def _policy(self) -> str:
        script = f"'sha256-{_digest(self.js)}'" if self.js else "'none'"
        return (
            f"default-src 'none'; style-src 'sha256-{_digest(self.css)}'; script-src {script}; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )


def load(name: str, css: str, js: str = "") -> Page:
    """The page ``name``; raises ``OSError`` when the room is installed without its files."""
    script = (_FOLDER / js).read_text("utf-8") if js else ""
    style = (_FOLDER / css).read_text("utf-8")
    return Page(_templates().get_template(name), style, script)


@cache
def _templates() -> Environment:
    """Those of this room, each compiled once."""
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
