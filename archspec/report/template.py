"""Pages from templates: the style of all, what all say of themselves, nothing loaded from elsewhere."""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import archspec

HERE = Path(__file__).parent


def rendered(template: Path, **values: object) -> str:
    """A page from a template with the style, and what all pages say of themselves."""
    places = FileSystemLoader([template.parent, HERE])
    environment = Environment(
        loader=places, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template.name).render(
        values,
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        version=archspec.__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
