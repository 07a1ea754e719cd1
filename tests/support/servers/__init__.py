"""Which real servers do the tests talk to? One module each; `plugin.py` makes them fixtures."""
