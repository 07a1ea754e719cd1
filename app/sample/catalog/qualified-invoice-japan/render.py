"""Renders the invoice: python render.py sample.json > invoice.html"""

import json
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

REDUCED = 8


def totals(lines: list[dict]) -> list[dict]:
    """Per rate: net total and tax, rounded down once per rate."""
    rates = sorted({line["rate"] for line in lines}, reverse=True)
    nets = {
        rate: sum(line["quantity"] * line["price"] for line in lines if line["rate"] == rate)
        for rate in rates
    }
    return [{"rate": rate, "net": nets[rate], "tax": nets[rate] * rate // 100} for rate in rates]


def render(data: dict) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["yen"] = lambda amount: f"¥{amount:,}"
    rows = totals(data["lines"])
    total = sum(row["net"] + row["tax"] for row in rows)
    return environment.get_template("invoice.html").render(**data, totals=rows, total=total, reduced=REDUCED)


if __name__ == "__main__":
    print(render(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
