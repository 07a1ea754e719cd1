"""How does a folder of packs become packages, and what changes when it is imported again?"""

from app.services.imports.running import ImportReport, Progress, import_catalog, load_sample

__all__ = ["ImportReport", "Progress", "import_catalog", "load_sample"]
