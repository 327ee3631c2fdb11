"""Modules of the standard library that a run may import first: though what is not loaded at the build is not in the plugin.

They are kept as packed source, as to load each would cost each plugin many times as much.
"""

import sys
import zlib
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Iterable, Optional, Sequence

# What the library itself imports in the middle of a call (`ZoneInfo`, codecs), what functions of jobs often import, and what those import.
NAMES = """
    _compat_pickle _pydecimal _strptime _sysconfigdata__wasi_wasm32-wasi argparse base64 bisect calendar compression
    compression._common compression._common._streams compression.gzip compression.zlib configparser contextvars csv decimal
    difflib encodings.ascii encodings.charmap encodings.cp1252 encodings.cp437 encodings.cp850 encodings.hex_codec
    encodings.idna encodings.iso8859_1 encodings.iso8859_15 encodings.latin_1 encodings.punycode encodings.raw_unicode_escape
    encodings.unicode_escape encodings.utf_16 encodings.utf_16_be encodings.utf_16_le encodings.utf_32 encodings.utf_32_be
    encodings.utf_32_le encodings.utf_8_sig fractions getpass gettext graphlib gzip hashlib heapq hmac html html.entities
    importlib._abc importlib.abc importlib.readers importlib.resources importlib.resources._adapters importlib.resources._common
    importlib.resources._functional importlib.resources._itertools importlib.resources.abc importlib.resources.readers
    importlib.util ipaddress locale numbers pickle pprint queue random secrets shlex shutil statistics string.templatelib
    stringprep struct sysconfig tarfile tempfile tomllib tomllib._parser tomllib._re tomllib._types urllib urllib.parse uuid xml
    xml.etree xml.etree.ElementPath xml.etree.ElementTree zipfile zipfile._path zipfile._path.glob zoneinfo zoneinfo._common
    zoneinfo._tzpath
""".split()

# Loaded at the build: they are common, and a run that compiled `_strptime` would take 60 ms longer. Together a fiftieth of a plugin.
COMMON = ("_strptime", "encodings.ascii", "encodings.cp1252", "encodings.latin_1", "encodings.utf_16", "encodings.utf_8_sig")


class Later:
    """Finds modules by the source that it has kept of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._kept: dict[str, tuple[bytes, bool]] = {}
        for name in names:
            if name not in sys.modules and (found := _source(name)) is not None:
                file, is_package = found
                self._kept[name] = zlib.compress(file.read_bytes(), 9), is_package

    def find_spec(self, name: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        if name not in self._kept:
            return None
        return ModuleSpec(name, self, is_package=self._kept[name][1])

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        exec(compile(zlib.decompress(self._kept[name][0]), f"<{name}>", "exec", dont_inherit=True), module.__dict__)


def _source(name: str) -> Optional[tuple[Path, bool]]:
    """The file of a module, without loading the packages that it is in, and whether it is one."""
    for folder in sys.path:
        path = Path(folder, *name.split("."))
        for file, is_package in ((path / "__init__.py", True), (path.with_name(path.name + ".py"), False)):
            if file.is_file():
                return file, is_package
    return None
