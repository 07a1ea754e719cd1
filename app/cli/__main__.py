"""``python -m app.cli`` is ``revgraph``."""

from app.cli import main

if __name__ == "__main__":
    main()
