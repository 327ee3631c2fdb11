import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from clockbox_sdk import _world

STATE = _world.INTERFACES["state"]


def world(line: str) -> str:
    return f"package clockbox:job@0.1.0;\n\nworld plugin {{\n    import context;\n    import log;\n    {line}\n    export runner;\n}}\n"


class World(unittest.TestCase):
    def test_what_it_lacks_is_told_with_the_line(self):
        add = f"add `import {STATE};` to the world in wit/plugin.wit"
        for line, expected in {
            f"import {STATE};": None,
            "import clockbox:state/store;": None,
            "include job;": None,
            f"// import {STATE};": "uncomment it in wit/plugin.wit, line 6",
            f"/* import {STATE}; */": add,
            "import clockbox:state/store-of-mine;": add,
            "": add,
        }.items():
            with self.subTest(line):
                self.assertEqual(_world.advice(world(line), STATE), expected)
        self.assertEqual(_world.advice(None, STATE), add)

    def test_in_the_project_of_a_plugin_a_test_finds_what_its_world_imports_and_no_more(self):
        script = """
import clockbox_sdk
for load in ("from clockbox_sdk import state", "import clockbox_sdk.jobs", "clockbox_sdk.http.get", "from clockbox_sdk import *"):
    try:
        exec(load)
        print("ok")
    except ImportError as error:
        print(error)
print("state" in globals())
"""

        def told(folder, script=script):
            package = str(Path(_world.__file__).parents[1])
            done = subprocess.run(
                [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": package}, capture_output=True, text=True, check=True
            )
            return done.stdout.splitlines()

        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(told(folder), ["ok", "ok", "ok", "ok", "True"])
            (Path(folder) / "wit").mkdir()
            file = Path(folder) / "wit/plugin.wit"
            file.write_text(world(f"// import {STATE};"))
            lacks = "clockbox_sdk.{}: the world of the plugin does not import {}; {}"
            expected = [
                lacks.format("state", STATE, "uncomment it in wit/plugin.wit, line 6"),
                *(
                    lacks.format(part, _world.INTERFACES[part], f"add `import {_world.INTERFACES[part]};` to the world in wit/plugin.wit")
                    for part in ("jobs", "http")
                ),
            ]
            self.assertEqual(told(folder), [*expected, "ok", "False"])
            # What else the module asks for is told at once.
            for load in (
                "from clockbox_sdk import job, state, jobs",
                "from clockbox_sdk import state; import clockbox_sdk.jobs; import http.client; jobs = 1",
                "from clockbox_sdk.state import get; from clockbox_sdk.jobs import add",
            ):
                (Path(folder) / "app.py").write_text(load)
                script_of_app = "try:\n    import app\nexcept ImportError as error:\n    print(error)"
                self.assertEqual(told(folder, script_of_app), expected[:2], load)
            file.write_text(world(f"import {STATE};"))
            self.assertEqual(told(folder), ["ok", *expected[1:], "ok", "True"])
