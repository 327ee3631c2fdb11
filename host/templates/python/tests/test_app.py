import unittest

from app import run
from clockbox_sdk import InvalidArgs, testing


class Greeting(unittest.TestCase):
    def setUp(self):
        self.host = testing.reset()

    def test_it_greets(self):
        self.assertEqual(testing.call(run, {"name": "Ada", "times": 2}), "hello Ada, hello Ada")
        self.assertEqual(self.host.lines, [testing.Line("info", "greeting", {"name": "Ada"})])

    def test_it_is_not_run_without_a_name(self):
        with self.assertRaises(InvalidArgs):
            testing.call(run)
