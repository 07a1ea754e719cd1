"""Is this a possible registration number of a company?"""

import re


def is_company_number(text: str) -> bool:
    """'T' and 13 digits, of which the first is 9 - (sum of digit * weight) mod 9.

    Weights are 1 and 2 in turn, starting at the last digit: the check digit of Japanese corporate numbers.
    """
    if not re.fullmatch(r"T[0-9]{13}", text):
        return False
    check, body = int(text[1]), text[2:]
    total = sum(int(digit) * (1 if index % 2 == 0 else 2) for index, digit in enumerate(reversed(body)))
    return check == 9 - total % 9
