"""The ``revgraph`` command: what an operator types."""


def main() -> None:
    from app.cli.program import run  # late, so that importing the package costs nothing

    run()
