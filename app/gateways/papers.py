"""Papers as PDF: set in type by Typst, in a thread, with fonts of our own and nothing from the network."""

import asyncio
import json
import threading
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import typst

from app.domain.papers import Paper
from app.ports import PrintingError

TEMPLATES = Path(str(resources.files("app").joinpath("paper_templates")))
NO_PACKAGES = TEMPLATES / "no-packages"
"""There is nothing: the template imports no packages, and none are fetched."""


class TypstPrinter:
    """One document at a time: the compiler keeps what it has read of fonts and template."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def pdf(self, paper: Paper) -> bytes:
        return await asyncio.to_thread(self._pdf, paper)

    def _pdf(self, paper: Paper) -> bytes:
        inputs = {"paper": json.dumps(_data(paper))}
        try:
            with self._lock:
                made = _compiler().compile(format="pdf", sys_inputs=inputs, timestamp=_second(paper.dated))
        except RuntimeError as error:
            raise PrintingError(f"{paper.filename}: {error}") from error
        if not isinstance(made, bytes):
            raise PrintingError(f"{paper.filename}: not one file")
        return made


def _second(moment: datetime) -> datetime:
    """Typst takes no parts of one."""
    return moment.replace(microsecond=0)


@cache
def _compiler() -> typst.Compiler:
    """Made in the thread that first needs it: reading the fonts takes a moment.

    The machine's fonts come after ours, for scripts that ours lack.
    """
    return typst.Compiler(
        TEMPLATES / "paper.typ",
        root=TEMPLATES,
        font_paths=typst.Fonts(
            include_system_fonts=True, include_embedded_fonts=False, font_paths=[TEMPLATES / "fonts"]
        ),
        package_path=NO_PACKAGES,
        package_cache_path=NO_PACKAGES,
    )


def _data(paper: Paper) -> dict[str, Any]:
    seller = paper.seller
    legal = [each for each in (seller.tax_id, seller.email, seller.note) if each]
    return {
        "title": paper.title,
        "number": paper.number,
        "seller": {"name": seller.name, "address": seller.address, "legal": legal},
        "to": "Billed to",
        "page": "Page",
        "columns": ["Description", "Quantity", "Unit price", "Amount"],
        "buyer": paper.buyer,
        "facts": paper.facts,
        "headline": paper.headline,
        "standing": paper.standing,
        "note": paper.note,
        "items": [vars(item) for item in paper.items],
        "totals": [vars(total) for total in paper.totals],
        "remarks": paper.remarks,
        "pay": "Pay online:",
        "pay_at": paper.pay_at,
    }
