"""The host's part: the real one inside the sandbox, `testing` anywhere else."""

import sys

if sys.platform == "wasi":
    from ._wasm import *  # noqa: F403
else:
    from ._native import *  # noqa: F403
