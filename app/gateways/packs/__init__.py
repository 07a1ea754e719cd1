"""How does a folder of packs on this disk become packages, archives and prices?"""

from app.gateways.packs.archives import ArchiveInfo, write_archive
from app.gateways.packs.comparing import same_goods
from app.gateways.packs.prices import PackTableError, read_prices
from app.gateways.packs.reading import read_packs
from app.gateways.packs.sources import BadPack, PackSource, PackVersion

__all__ = [
    "ArchiveInfo",
    "BadPack",
    "PackSource",
    "PackTableError",
    "PackVersion",
    "read_packs",
    "read_prices",
    "same_goods",
    "write_archive",
]
