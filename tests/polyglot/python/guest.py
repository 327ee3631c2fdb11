"""The table's cases in Python: see ../README.md."""

import datetime
import importlib
import random
from typing import Any, Literal, Optional

from clockbox_sdk import (
    _later,
    Cancelled,
    Fatal,
    InvalidArgs,
    Retry,
    RetryAfter,
    context,
    http,
    job,
    jobs,
    log,
    progress,
    state,
)

Deed = Literal[
    "greet", "nothing", "echo", "retry", "retry-after", "fatal", "refuse", "log", "progress", "facts", "count",
    "count-and-fail", "swap", "bytes", "churn", "draw", "bad-key", "add-job", "replace-job", "run-job",
    "pause-job", "resume-job", "remove-job", "remove-and-fail", "no-such-job", "get", "post", "large", "late",
    "wait", "import-late",
]  # fmt: skip


@job
def run(do: Deed, name: str = "", times: int = 1, value: Any = None) -> Any:
    match do:
        case "import-late":
            lacking = {}
            for name in (*_later.COMMON, *_later.NAMES):
                try:
                    importlib.import_module(name)
                except ImportError as error:
                    lacking[name] = str(error)
            when = datetime.datetime.strptime("2026-01-02", "%Y-%m-%d")
            return {"lacking": lacking, "year": when.year, "text": "ü".encode("cp1252").hex()}
        case "greet":
            return {"greeting": f"hello {name}", "times": times}
        case "nothing":
            return None
        case "echo":
            return value
        case "retry" | "retry-after" if context.attempt() > 1:
            return {"attempt": context.attempt()}
        case "retry":
            raise Retry("busy", "try again")
        case "retry-after":
            raise RetryAfter(0.02, "busy", "try again soon")
        case "fatal":
            raise Fatal("broken", "no use – ever")
        case "refuse":
            raise InvalidArgs("not these")
        case "log":
            log.trace("one")
            log.debug("two")
            log.info("three", name=name, times=times)
            log.warn("four")
            log.error("fünf")
        case "progress":
            progress.report(1, 4, "a quarter")
        case "facts":
            return {
                "job": context.job_id(),
                "cause": context.cause(),
                "attempt": context.attempt(),
                "config": [context.config("colour"), context.config("none")],
                "ids": context.run_id() != "" and context.idempotency_key() != "",
                "time": context.deadline() > 0 and context.scheduled_at().year > 2000,
                "cancelled": context.is_cancelled(),
            }
        case "count":
            return state.update("count", lambda count: count + 1, 0)
        case "count-and-fail":
            state.update("count", lambda count: count + 1, 0)
            raise Fatal("told", "to fail")
        case "swap":
            return swap()
        case "bytes":
            state.set("bytes", bytes(range(256)), ttl=3600)
            return sum(state.get("bytes"))
        case "churn":
            return churn()
        case "draw":
            before, drawn = state.get_json("drawn"), random.random()
            state.set_json("drawn", drawn)
            return {"same": drawn == before, "within": 0 <= drawn < 1}
        case "bad-key":
            state.set("", b"")
        case "add-job":
            return add_job(name)
        case "replace-job":
            jobs.add(name, {"trigger": {"date": "2099-01-01"}, "args": value}, "replace")
        case "run-job" if value is None:
            jobs.run(name)
        case "run-job":
            jobs.run(name, value)
        case "pause-job":
            jobs.pause(name, "für heute")
        case "resume-job":
            jobs.resume(name)
        case "remove-job":
            jobs.remove(name)
            return jobs.get(name)
        case "remove-and-fail":
            jobs.remove(name)
            raise Fatal("told", "to fail")
        case "no-such-job":
            jobs.pause("nobody", "for ever")
        case "get":
            response = http.get(name, headers={"x-asked": "yes"})
            body = response.json() if response.ok else response.text()
            return {"status": response.status, "ok": response.ok, "kind": response.headers.get("x-kind"), "body": body}
        case "post":
            return http.post(name, json=value).json()
        case "large":
            return len(http.get(name, max_body=1000).body)
        case "late":
            return http.get(name, timeout=0.1).status
        case "wait":
            log.info("waiting")
            while not context.is_cancelled():
                pass
            raise Cancelled("stopped when asked")


def swap() -> list[Any]:
    done = [
        state.compare_and_swap("swap", None, b"1"),
        state.compare_and_swap("swap", b"0", b"2"),
        state.compare_and_swap("swap", b"1", b"2"),
    ]
    state.set("swept", b"x")
    return [*done, state.keys("sw"), state.delete("swept"), state.delete("swept"), text(state.get("swap"))]


def churn() -> int:
    """Makes garbage between calls of the host, and in them."""
    kept = 0
    for i in range(2000):
        value = (str(i) * 500).encode()
        state.set("churn", value)
        kept += state.get("churn") == value
    return kept


def text(value: Optional[bytes]) -> Optional[str]:
    return None if value is None else value.decode()


def add_job(name: str) -> dict[str, Any]:
    jobs.add(name, {"trigger": {"date": "2099-01-01"}, "args": {"do": "nothing"}})
    jobs.add(name, on_conflict="ignore")
    jobs.modify(name, args={"do": "greet", "name": "you"})
    jobs.pause(name, "not yet")
    jobs.resume(name)
    return {"listed": name in jobs.list(), "args": jobs.get(name)["args"], "none": jobs.get("nobody")}
