import datetime
import enum
import unittest
from dataclasses import dataclass
from typing import Any, Literal, Optional, Union

from clockbox_sdk import Fatal, _job, job, testing


class Mode(enum.Enum):
    FAST = "fast"


@dataclass
class Tree:
    children: "list[Tree]"
    mode: Mode = Mode.FAST


@dataclass
class Dated:
    when: datetime.date


class Signature(unittest.TestCase):
    """What cannot run is refused where the module is loaded, which the build does, too."""

    def refusal(self, function):
        with self.assertRaises(TypeError) as caught:
            job(function)
        with self.assertRaises(TypeError):
            testing.call(function)
        return str(caught.exception).replace("Signature.refusal.<locals>.", "").partition("<locals>.")[2]

    def test_a_type_that_json_has_not(self):
        def date(when: datetime.datetime): ...
        def deep(all: list[dict[str, Optional[set]]]): ...
        def nested(dated: Dated): ...
        def key(names: dict[int, str]): ...

        self.assertEqual(
            self.refusal(date),
            "date: when: an argument cannot be of type datetime.datetime; it can be of str, int, float, bool, None, Any, "
            "Literal, list, dict, unions of them, enums and dataclasses",
        )
        self.assertIn("deep: all[].*: an argument cannot be of type set", self.refusal(deep))
        self.assertIn("nested: dated.when: an argument cannot be of type datetime.date", self.refusal(nested))
        self.assertIn("write dict[str, …], not dict[int, str]", self.refusal(key))

    def test_a_function_that_no_arguments_fit_or_that_gives_no_output(self):
        async def later(): ...
        def each():
            yield 1

        def keys(**kw): ...
        def values(*paths: str): ...
        def two(a: int, b: int, /): ...

        self.assertIn("later is async", self.refusal(later))
        self.assertIn("each yields", self.refusal(each))
        self.assertIn("`**kw` names no argument", self.refusal(keys))
        self.assertIn("`*paths: str` names no argument", self.refusal(values))
        self.assertIn("`a` has no name", self.refusal(two))

    def test_whatever_arguments_can_be_is_taken(self):
        def run(
            a: str, b: Optional[int], c: Union[float, None, bool], d: Any, e, f: Literal["x"], g: list, h: dict[str, Any],
            i: Mode, j: None, k: list[Tree], l: dict, m: "int | list[str]" = 1, *, n: int = 1,
        ): ...  # fmt: skip

        self.assertIs(job(run), run)
        self.assertIsNotNone(job(lambda tree: None))

    def test_a_type_whose_name_is_nowhere_is_told_by_the_first_call_and_no_retry(self):
        def run(a: "Nowhere"): ...  # noqa: F821

        job(run)
        with self.assertRaises(Fatal) as caught:
            _job.call(run, '{"a":1}')
        self.assertEqual((caught.exception.code, "Nowhere" in caught.exception.message), ("bad-signature", True))
