"""What a password costs whoever wants to guess it, in a process of the server's own."""

import subprocess
import sys

HASH = "from app.gateways import passwords; print(passwords._CONTEXT.hash('a password'))"


def test_hashes_cost_what_owasp_asks_for_at_least() -> None:
    """https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html"""
    ran = subprocess.run([sys.executable, "-c", HASH], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
