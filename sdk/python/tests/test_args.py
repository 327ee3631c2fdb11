import enum
import unittest
from dataclasses import dataclass, field
from typing import Any, Literal, Optional

from clockbox_sdk import InvalidArgs, testing


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Page:
    url: str
    tags: list[str] = field(default_factory=list)
    colour: Colour = Colour.RED


@dataclass
class Crawl:
    pages: list[Page]
    limit: Optional[int] = None
    ratio: float = 1.0


class Args(unittest.TestCase):
    def refusal(self, function, args):
        with self.assertRaises(InvalidArgs) as caught:
            testing.call(function, args)
        return caught.exception.message

    def test_each_parameter_is_a_key(self):
        def run(name: str, times: int = 1):
            return [name, times]

        self.assertEqual(testing.call(run, {"name": "a"}), ["a", 1])
        self.assertEqual(testing.call(run, {"name": "a", "times": 2}), ["a", 2])
        self.assertEqual(self.refusal(run, None), "args.name: missing")
        self.assertEqual(self.refusal(run, {"name": 5}), "args.name: expected a string, found 5")
        self.assertEqual(self.refusal(run, {"nam": "a"}), "args.nam: unknown; known are: name, times")
        self.assertEqual(self.refusal(run, [1]), "args: expected an object, found [1]")

    def test_a_job_without_parameters_takes_no_args(self):
        def run():
            return "done"

        self.assertEqual(testing.call(run), "done")
        self.assertEqual(testing.call(run, {}), "done")
        self.assertEqual(self.refusal(run, {"a": 1}), "args.a: unknown; known are: there are none")

    def test_a_dataclass_gets_all_of_them_and_nests(self):
        def run(crawl: Crawl):
            return [crawl.limit, crawl.ratio, crawl.pages[0].colour is Colour.BLUE, crawl.pages[0].url]

        pages = [{"url": "u", "tags": ["x"], "colour": "blue"}]
        self.assertEqual(testing.call(run, {"pages": pages, "ratio": 2}), [None, 2.0, True, "u"])
        self.assertEqual(
            self.refusal(run, {"pages": [{"url": "u", "colour": "green"}]}),
            "args.pages[0].colour: expected 'red' or 'blue', found 'green'",
        )
        self.assertEqual(
            self.refusal(run, {"pages": [], "limit": "x"}), "args.limit: expected an integer, found 'x'"
        )

    def test_true_is_no_integer_and_a_fraction_neither(self):
        def run(n: int):
            return n

        self.assertEqual(self.refusal(run, {"n": True}), "args.n: expected an integer, found True")
        self.assertEqual(self.refusal(run, {"n": 1.5}), "args.n: expected an integer, found 1.5")

    def test_lists_objects_and_literals(self):
        def run(items: list[int], /):
            return sum(items)

        self.assertEqual(testing.call(run, [1, 2]), 3)
        self.assertEqual(self.refusal(run, [1, "2"]), "args[1]: expected an integer, found '2'")

        def free(args: dict[str, Any], /):
            return args

        self.assertEqual(testing.call(free, {"a": [None]}), {"a": [None]})
        self.assertEqual(testing.call(free), {})
        self.assertEqual(self.refusal(run, None), "args: expected a list, found None")

        def few(items: list[int] = [7], /):
            return items

        self.assertEqual((testing.call(few), testing.call(few, [])), ([7], []))

        def choice(mode: Literal["fast", "safe"]):
            return mode

        self.assertEqual(self.refusal(choice, {"mode": "x"}), "args.mode: expected 'fast' or 'safe', found 'x'")

    def test_one_parameter_with_a_name_is_a_key_of_whatever_type(self):
        def run(paths: list[str]):
            return paths

        self.assertEqual(testing.call(run, {"paths": ["a"]}), ["a"])
        self.assertEqual(self.refusal(run, None), "args.paths: missing")
        self.assertEqual(self.refusal(run, ["a"]), "args: expected an object, found ['a']")

        def ask(headers: dict[str, str] = {}):
            return headers

        self.assertEqual(testing.call(ask, {"headers": {"a": "b"}}), {"a": "b"})
        self.assertEqual(testing.call(ask), {})
        self.assertEqual(self.refusal(ask, {"headers": "x"}), "args.headers: expected an object, found 'x'")


if __name__ == "__main__":
    unittest.main()
