"""What can a check find, and how is it told?"""

from dataclasses import asdict, dataclass
from enum import StrEnum

import orjson
from rich.table import Table
from rich.text import Text

from app.cli.reporting import out, show


class Level(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """``advice`` says what to do; there is none where all is well."""

    check: str
    level: Level
    message: str
    advice: str = ""


def ok(check: str, message: str) -> Finding:
    return Finding(check, Level.OK, message)


def warn(check: str, message: str, advice: str) -> Finding:
    return Finding(check, Level.WARN, message, advice)


def fail(check: str, message: str, advice: str) -> Finding:
    return Finding(check, Level.FAIL, message, advice)


def show_findings(findings: list[Finding]) -> None:
    styles = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
    table = Table("check", "", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        level = Text(finding.level, style=styles[finding.level])
        table.add_row(finding.check, level, Text(finding.message), Text(finding.advice))
    show(table)


def show_as_json(findings: list[Finding]) -> None:
    healthy = all(finding.level is not Level.FAIL for finding in findings)
    report = {"healthy": healthy, "findings": [asdict(finding) for finding in findings]}
    out.file.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n")
