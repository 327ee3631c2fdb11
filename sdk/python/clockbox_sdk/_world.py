"""What the world of a plugin imports, as far as the file of its project tells."""

import re
from pathlib import Path
from typing import Optional

# The parts of this package that need an import of their own.
INTERFACES = {
    "http": "clockbox:http/client@0.1.0",
    "jobs": "clockbox:jobs/control@0.1.0",
    "state": "clockbox:state/store@0.1.0",
}
_FILE = "wit/plugin.wit"


def text() -> Optional[str]:
    """The file of the world: of the folder that tests are run in, or of that with a copy of this package."""
    for folder in (Path(), Path(__file__).parents[1]):
        try:
            return (folder / _FILE).read_text(encoding="utf-8")
        except OSError:
            continue
    return None


def advice(world: Optional[str], interface: str) -> Optional[str]:
    """What to do where the world does not import an interface; `None` where it does."""
    imports = re.compile(rf"\bimport\s+{re.escape(interface.partition('@')[0])}\s*[;@]")
    blanked = re.sub(r"/\*.*?\*/", lambda comment: re.sub(r"[^\n]", "", comment[0]), world or "", flags=re.DOTALL)
    lines = blanked.split("\n")
    for line in lines:
        code = line.partition("//")[0]
        # What another world brings in is not looked up.
        if re.search(r"\binclude\s", code) or imports.search(code):
            return None
    for number, line in enumerate(lines, 1):
        if imports.search(line):
            return f"uncomment it in {_FILE}, line {number}"
    return f"add `import {interface};` to the world in {_FILE}"


def refusal(part: str, world: Optional[str]) -> Optional[ImportError]:
    """Why this part of the package cannot be had, if it cannot."""
    interface = INTERFACES[part]
    todo = advice(world, interface)
    if todo is None:
        return None
    return ImportError(
        f"clockbox_sdk.{part}: the world of the plugin does not import {interface}; {todo}",
        name=f"clockbox_sdk.{part}",
    )
