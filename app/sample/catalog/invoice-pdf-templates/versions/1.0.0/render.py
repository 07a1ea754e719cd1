"""Renders one document: python render.py invoice sample.json > invoice.html"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def totals(lines: list[dict]) -> dict:
    net_by_rate: dict[int, int] = defaultdict(int)
    for line in lines:
        net_by_rate[line["tax_percent"]] += line["quantity"] * line["unit_cents"]
    taxes = [(rate, (net * rate + 50) // 100) for rate, net in sorted(net_by_rate.items())]
    net = sum(net_by_rate.values())
    return {"net": net, "taxes": taxes, "gross": net + sum(tax for _, tax in taxes)}


def render(kind: str, data: dict) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters["money"] = money
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    template = environment.get_template(f"{kind}.html")
    return template.render(**data, totals=totals(data["lines"]), style=style)


if __name__ == "__main__":
    print(render(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))))
