"""Compares a model's answers with those of a person: python check.py cases.jsonl answers.jsonl"""

import json
import sys
from pathlib import Path

FIELDS = ("topic", "urgency")


def read(path: str) -> dict[int, dict]:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return {row["id"]: row for row in map(json.loads, filter(str.strip, lines))}


def compare(cases: dict[int, dict], answers: dict[int, dict]) -> list[tuple[int, str, object, str]]:
    return [
        (identifier, field, answers.get(identifier, {}).get(field), case[field])
        for identifier, case in cases.items()
        for field in FIELDS
        if answers.get(identifier, {}).get(field) != case[field]
    ]


def main() -> int:
    cases, answers = read(sys.argv[1]), read(sys.argv[2])
    wrong = compare(cases, answers)
    for field in FIELDS:
        missed = sum(1 for row in wrong if row[1] == field)
        print(f"{field:8} {len(cases) - missed}/{len(cases)}")
    for identifier, field, got, expected in wrong:
        print(f"wrong: case {identifier}: {field} is {got!r}, expected {expected!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
