"""The parts of this package that a plugin's world may leave out."""

import dis
import sys
from types import CodeType
from typing import Iterator

from . import _host, _world

_PACKAGE = __package__


def require(part: str) -> None:
    """Refuses to load a part that the world does not import, with all the others that the same module asks for."""
    if (refused := _host.refusal(part)) is None:
        return
    asked = (_host.refusal(other) for other in _asked() if other != part)
    texts = [str(refused), *(str(each) for each in asked if each is not None)]
    raise ImportError("\n".join(texts), name=refused.name)


def _asked() -> list[str]:
    """What the module that is being loaded imports of the parts."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in (_PACKAGE, "importlib", "_frozen_importlib"):
            if found := [part for part in _imports(frame.f_code) if part in _world.INTERFACES]:
                return list(dict.fromkeys(found))
        frame = frame.f_back
    return []


def _imports(code: CodeType) -> Iterator[str]:
    """`X` for each `import clockbox_sdk.X`, `from clockbox_sdk.X import …` and `from clockbox_sdk import X` in it."""
    module = None
    for each in dis.get_instructions(code):
        if each.opname == "IMPORT_NAME":
            module = each.argval
            if module.startswith(f"{_PACKAGE}."):
                yield module.split(".")[1]
        elif each.opname == "IMPORT_FROM" and module == _PACKAGE:
            yield each.argval
