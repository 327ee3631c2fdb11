import contextlib
import io
import logging
import re
import sys
import types
import unittest
from pathlib import Path
from unittest import mock

from clockbox_sdk import Cancelled, Fatal, InvalidArgs, Retry, RetryAfter, http, testing

README = Path(__file__).parents[1] / "clockbox_sdk/README.md"


def examples() -> dict[str, types.ModuleType]:
    """Each example of the page, as a module, by its heading."""
    found = {}
    for section in re.split(r"^#+ ", README.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        [code] = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
        heading = section.partition("\n")[0]
        module = found[heading] = types.ModuleType(f"readme {heading}")
        # The last one tests the job under State.
        with mock.patch.dict(sys.modules, {module.__name__: module, "app": found.get("State", module)}):
            exec(compile(code, heading, "exec"), module.__dict__)
    return found


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        handlers, level = logging.root.handlers[:], logging.root.level
        cls.addClassCleanup(lambda: (logging.root.handlers.__setitem__(slice(None), handlers), logging.root.setLevel(level)))
        logging.root.handlers.clear()
        cls.examples = examples()

    def setUp(self):
        self.host = testing.reset()

    def run_of(self, heading, args):
        return testing.call(self.examples[heading].run, args)

    def test_the_first_and_its_arguments(self):
        self.assertEqual(self.run_of("clockbox_sdk", {"name": "Ada", "times": 2}), "hello Ada, hello Ada")
        self.assertEqual(self.run_of("Arguments", {"folders": ["/data"], "mode": "full"}), {"folders": 1, "mode": "full"})
        with self.assertRaises(InvalidArgs):
            self.run_of("Arguments", {"folders": ["/data"], "mode": "half"})

    def test_failures(self):
        heading = "Failures, progress, cancellation"
        self.assertEqual(self.run_of(heading, {"orders": ["a", "b"]}), 2)
        self.assertEqual(self.host.progress, (1, 2, "sending b"))
        for orders, expected in {(): Fatal, ("busy",): RetryAfter, ("lost",): Retry}.items():
            with self.assertRaises(expected) as caught:
                self.run_of(heading, {"orders": list(orders)})
            self.assertIs(type(caught.exception), expected)
        self.host.cancelled = True
        with self.assertRaises(Cancelled):
            self.run_of(heading, {"orders": ["a"]})

    def test_log(self):
        self.run_of("Log", {"file": "a.csv"})
        fields = {"file": "a.csv"}
        self.assertEqual(
            self.host.lines, [testing.Line("info", "3 rows", fields), testing.Line("warn", "one row is odd", fields)]
        )

    def test_jobs_and_http(self):
        self.assertEqual(self.run_of("Jobs", {"customers": ["ada", "bob"]}), ["mail-ada", "mail-bob"])
        asked = []
        self.host.http = lambda request: (asked.append(request.url), http.Response(200, body=b'{"rate": 2}'))[1]
        self.run_of("HTTP", {"url": "https://api.example.com/rate"})
        self.assertEqual(asked, ["https://api.example.com/rate", "https://hooks.example.com/x"])
        self.assertEqual(self.host.lines[0].fields, {"now": "2"})

    def test_its_test_passes(self):
        shown = io.StringIO()
        with contextlib.redirect_stderr(shown):
            result = unittest.TextTestRunner(shown).run(unittest.defaultTestLoader.loadTestsFromModule(self.examples["Tests"]))
        self.assertEqual((result.testsRun, result.wasSuccessful()), (1, True), shown.getvalue())
