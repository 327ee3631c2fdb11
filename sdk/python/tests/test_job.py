import contextlib
import io
import logging
import subprocess
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path

from clockbox_sdk import (
    Cancelled,
    Fatal,
    InvalidArgs,
    Retry,
    RetryAfter,
    _job,
    context,
    job,
    jobs,
    log,
    progress,
    state,
    testing,
)


@job
def greet(name: str) -> str:
    return f"hello {name}"


@dataclass
class Report:
    total: int
    note: str


class Job(unittest.TestCase):
    def setUp(self):
        self.host = testing.reset()

    def test_the_decorated_function_stays_one_and_the_module_exports_a_runner(self):
        self.assertEqual(greet("Ada"), "hello Ada")
        self.assertEqual(Runner().run('{"name":"Ada"}'), '"hello Ada"')  # noqa: F821

    def test_output_is_json_and_none_is_no_output(self):
        self.assertEqual(_job.call(lambda: Report(3, "ü"), "null"), '{"total":3,"note":"ü"}')
        self.assertIsNone(_job.call(lambda: None, ""))
        for bad in (float("nan"), {1, 2}, object()):
            with self.assertRaises(Fatal) as caught:
                _job.call(lambda: bad, "null")
            self.assertEqual(caught.exception.code, "bad-output")

    def test_failures_come_through_and_any_other_exception_asks_for_a_retry(self):
        def run():
            raise RetryAfter(1.5, "busy", "later")

        with self.assertRaises(RetryAfter) as caught:
            testing.call(run)
        self.assertEqual((caught.exception.delay, str(caught.exception)), (1.5, "busy: later"))

        def broken():
            return {}["key"]

        shown = io.StringIO()
        with self.assertRaises(Retry) as caught, contextlib.redirect_stderr(shown):
            testing.call(broken)
        self.assertEqual((caught.exception.code, caught.exception.message), ("error", "KeyError: 'key'"))
        self.assertIn("in broken", shown.getvalue())
        with self.assertRaises(ValueError):
            RetryAfter(-1, "busy", "earlier")

    def test_one_text_is_the_message_and_a_failure_that_cannot_be_built_is_no_retry(self):
        told = [Fatal("m"), Retry("m"), RetryAfter(1, "m"), InvalidArgs("m"), Fatal(), Fatal("c", "m"), Fatal(404, 5)]
        self.assertEqual(
            [str(failure) for failure in told],
            ["fatal: m", "retry: m", "retry-after: m", "invalid-args: m", "fatal: no reason was given", "c: m", "404: 5"],
        )
        self.assertEqual(str(InvalidArgs("m", "c")), "c: m")

        def run(kind: str):
            raise {"surplus": lambda: Retry("a", "b", "c"), "lacking": RetryAfter, "unknown": lambda: Fatal(why="x")}[kind]()

        for kind, why in {"surplus": "too many", "lacking": "'delay'", "unknown": "'why'"}.items():
            with self.assertRaises(Fatal) as caught:
                testing.call(run, {"kind": kind})
            self.assertEqual(caught.exception.code, "bad-failure")
            self.assertIn(why, caught.exception.message)
        with self.assertRaises(ValueError):
            RetryAfter(float("nan"), "later")

    def test_text_that_is_not_json_is_told(self):
        with self.assertRaises(Exception) as caught:
            _job.call(greet, "{")
        self.assertTrue(caught.exception.message.startswith("not JSON: "))

    def test_facts_log_and_progress(self):
        self.host = testing.reset(attempt=3, config={"key": "value"}, cause="manual", deadline=2.5)

        def run():
            log.info("at", attempt=context.attempt())
            progress.report(1, 2, "half")
            return [context.config("key"), context.config("x"), context.cause(), context.deadline()]

        self.assertEqual(testing.call(run), ["value", None, "manual", 2.5])
        self.assertEqual(self.host.lines, [testing.Line("info", "at", {"attempt": "3"})])
        self.assertEqual(self.host.progress, (1, 2, "half"))
        progress.report(3, 0)
        self.assertEqual(self.host.progress, (3, None, None))
        self.assertEqual(context.scheduled_at().year, 2030)
        self.assertIsNone(context.previous_success())

    def test_cancellation(self):
        def run():
            context.check_cancelled()
            return "went on"

        self.assertEqual(testing.call(run), "went on")
        self.host.cancelled = True
        with self.assertRaises(Cancelled):
            testing.call(run)

    def test_a_line_takes_values_for_its_text_as_logging_has_it(self):
        log.info("%d of %s", 3, "four", message="m")
        log.warn("100 %", "odd")
        log.error("100 %")
        self.assertEqual(
            [(line.message, line.fields) for line in self.host.lines],
            [("3 of four", {"message": "m"}), ("100 % odd", {}), ("100 %", {})],
        )

    def test_logging_goes_to_the_host(self):
        logger = logging.getLogger("shop")
        handler = log.Handler()
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        logger.setLevel(1)
        logger.warning("%d left", 3, extra={"item": "nut"})
        logger.log(5, "step")
        self.assertEqual(
            [(line.level, line.message, line.fields) for line in self.host.lines],
            [("warn", "3 left", {"item": "nut", "logger": "shop"}), ("trace", "step", {"logger": "shop"})],
        )


class Imports(unittest.TestCase):
    def test_a_module_that_a_run_does_not_find_is_told_with_what_to_do(self):
        def run():
            import no_such_module_at_all  # noqa: F401

        with contextlib.redirect_stderr(io.StringIO()) as shown, self.assertRaises(Fatal) as caught:
            testing.call(run)
        self.assertEqual(
            (caught.exception.code, caught.exception.message),
            (
                "no-module",
                "No module named 'no_such_module_at_all'; import it at the head of the module: a run finds what was loaded at the build",
            ),
        )
        self.assertIn("ModuleNotFoundError", shown.getvalue())

    def test_a_module_comes_from_the_source_that_was_kept(self):
        script = '''
import sys
from clockbox_sdk import _later
for name in [name for name in sys.modules if name.partition(".")[0] in ("uuid", "tomllib", "colorsys")]:
    del sys.modules[name]
later = _later.Later(["uuid", "tomllib", "tomllib._parser", "tomllib._re", "tomllib._types", "sys", "no.such.module"])
sys.meta_path.insert(0, later)
import colorsys, tomllib, uuid
print([module.__spec__.loader is later for module in (uuid, tomllib, sys.modules["tomllib._parser"], colorsys)])
print(tomllib.loads("a = 1"), uuid.UUID(int=1), "sys" in later._kept)
'''
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
        )
        self.assertEqual(
            done.stdout, "[True, True, True, False]\n{'a': 1} 00000000-0000-0000-0000-000000000001 False\n", done.stderr
        )


class Kept(unittest.TestCase):
    def setUp(self):
        self.host = testing.reset()

    def test_state_stays_with_success_and_goes_with_failure(self):
        def run(fail: bool = False):
            count = state.update("runs", lambda n: n + 1, 0)
            if fail:
                raise Fatal("told", "to fail")
            return count

        self.assertEqual(testing.call(run), 1)
        with self.assertRaises(Fatal):
            testing.call(run, {"fail": True})
        self.assertEqual(testing.call(run), 2)
        self.assertEqual(self.host.state, {"runs": b"2"})

    def test_state_compares_deletes_and_lists(self):
        self.assertTrue(state.compare_and_swap("a", None, b"1"))
        self.assertFalse(state.compare_and_swap("a", b"2", b"3"))
        state.set("b", b"\xff")
        self.assertEqual((state.keys(), state.keys("b")), (["a", "b"], ["b"]))
        self.assertEqual((state.delete("a"), state.delete("a"), state.get("a")), (True, False, None))
        with self.assertRaises(state.StateError) as caught:
            state.set("", b"")
        self.assertEqual((caught.exception.kind, caught.exception.code), ("invalid-key", "invalid-key"))
        with self.assertRaises(state.StateError):
            state.get_json("b")

    def test_state_takes_text_and_bytes_and_what_is_neither_is_refused(self):
        state.set("a", "ü")
        self.assertEqual((state.get("a"), state.get_text("a"), state.get_text("b")), ("ü".encode(), "ü", None))
        self.assertTrue(state.compare_and_swap("a", "ü", bytearray(b"v")))
        for value in (5, None, ["a"]):
            with self.assertRaises(state.StateError) as caught:
                state.set("a", value)
            self.assertIn("text or bytes", caught.exception.message)
        for value in (float("nan"), {1}):
            with self.assertRaises(state.StateError) as caught:
                state.set_json("a", value)
            self.assertIn("'a' is not JSON", caught.exception.message)
        self.assertEqual(state.get("a"), b"v")

    def test_a_time_to_live_is_a_number_of_seconds_and_any_other_is_refused(self):
        for ttl in ("x", -1, float("nan"), True, [1]):
            for call in (
                lambda: state.set_json("a", 1, ttl),
                lambda: state.set("a", "1", ttl),
                lambda: state.compare_and_swap("a", None, "1", ttl),
            ):
                with self.subTest(ttl), self.assertRaises(state.StateError) as caught:
                    call()
                message = f"ttl is {ttl!r}, and is to be a number of seconds from 0"
                self.assertEqual((caught.exception.code, caught.exception.message), ("state", message))
        self.assertIsNone(state.get("a"))
        for ttl in (None, 0, 1.5, float("inf")):
            state.set_json("a", 1, ttl)
        self.assertEqual(state.get_json("a"), 1)

    def test_a_job_that_no_host_would_take_is_refused_here_too(self):
        def told(name, keys=None):
            with self.assertRaises(jobs.JobsError) as caught:
                jobs.add(name, keys)
            self.assertEqual((caught.exception.kind, caught.exception.code), ("invalid", "invalid-job"))
            return caught.exception.message

        self.assertTrue(told("bad name!").startswith("' ' is not allowed in a job name; "))
        self.assertIn("must not be empty", told(""))
        self.assertIn("130 bytes long", told("ü" * 65))
        self.assertTrue(told("a", {"triger": 1}).startswith("triger: unknown key; known are: plugin, trigger, "))
        self.assertIn("not a JSON object", told("a", [1]))
        self.assertIn("cannot be disabled", told("a", {"enabled": False}))
        self.assertIn("not JSON", told("a", {"args": {1, 2}}))
        jobs.add("Zähler.a_b-c:d@1", {"trigger": {"interval": "1h"}, "args": None, "pool": None})
        self.assertEqual(self.host.jobs, {"Zähler.a_b-c:d@1": {"trigger": {"interval": "1h"}, "args": None}})
        with self.assertRaises(jobs.JobsError) as caught:
            jobs.modify("Zähler.a_b-c:d@1", allow={})
        self.assertIn("allow: unknown key", caught.exception.message)

    def test_jobs(self):
        jobs.add("a", {"args": 1})
        jobs.modify("a", args=2)
        jobs.run("a", [3])
        jobs.run("a")
        jobs.pause("a", "enough")
        self.assertEqual((jobs.list(), jobs.get("a")["args"], jobs.get("b")), (["a"], 2, None))
        self.assertEqual(self.host.runs, [("a", [3]), ("a", None)])
        with self.assertRaises(jobs.JobsError) as caught:
            jobs.add("a")
        self.assertEqual((caught.exception.kind, caught.exception.code), ("job-exists", "job-exists"))
        jobs.add("a", on_conflict="ignore")
        with self.assertRaises(ValueError):
            jobs.add("a", on_conflict="what")
        jobs.resume("a")
        jobs.remove("a")
        with self.assertRaises(jobs.JobsError) as caught:
            jobs.remove("a")
        self.assertEqual(caught.exception.code, "no-such-job")


if __name__ == "__main__":
    unittest.main()
