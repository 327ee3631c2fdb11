#!/usr/bin/env python3
"""Runs the table of cases, cases.json, through a real host: each guest, each case, and what came of it.

usage: run.py --clockbox PATH GUESTS            (GUESTS: a folder with LANGUAGE.wasm in it, from build.sh)
       run.py --clockbox PATH GUESTS --figures  (and a table of sizes and times, of hello-LANGUAGE.wasm)

Prints a line for each language, each difference from the table, and `N passed, M failed`; exit code 1 if anything failed.
"""

import argparse
import fnmatch
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from datetime import datetime
from pathlib import Path

from web import Web

PATIENCE = 180  # seconds: a guard against a host that hangs, not a measure of anything
LARGE = "größe " * 5000
RUNS = 20  # warm runs, of which the median counts


class Host:
    """A host that runs in a folder of its own, and what it tells as events."""

    def __init__(self, clockbox: Path, folder: Path, first_job: str) -> None:
        self.clockbox = clockbox
        self.folder = folder
        self.process = subprocess.Popen(
            [clockbox, "run", "--log-format", "json", folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        lines = follow(self.process.stderr, self.said)
        wait_for(lines, "a host that is ready", lambda line: "asked and changed at" in line, self.said)
        self.listener = subprocess.Popen(
            [clockbox, "events", "--json", folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.events = follow(self.listener.stdout, [])
        self.listen(first_job)

    def listen(self, job: str) -> None:
        """Lets things happen until the listener tells of one: from then on it misses nothing."""
        for _ in range(PATIENCE):
            self.ask("jobs", "pause", job, json_out=False)
            self.ask("jobs", "resume", job, json_out=False)
            try:
                self.events.get(timeout=1)
                return
            except queue.Empty:
                continue
        raise RuntimeError("the host tells of no events")

    def ask(self, *words: object, json_out: bool = True) -> object:
        command = [str(self.clockbox), *map(str, words), *(["--json"] if json_out else []), "-C", str(self.folder)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if answer.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit code {answer.returncode}\n{answer.stdout}{answer.stderr}")
        return json.loads(answer.stdout) if json_out else answer.stdout

    def run(self, job: str, args: object, cancel_after: str | None = None) -> tuple[dict, list | None]:
        """Runs a job to its end: the run as `runs show` tells it, and its latest progress."""
        run_id = self.ask("jobs", "run", job, "--args", json.dumps(args))["run"]
        if cancel_after is not None:
            self.cancel(run_id, cancel_after)
        progress = None
        while True:
            line = wait_for(self.events, f"the end of {job}", lambda line: f'"run":"{run_id}"' in line, self.said)
            event = json.loads(line)
            if event["event"] == "run-progressed":
                progress = [event["done"], event["total"], event["note"]]
            if event["event"] == "run-finished":
                shown = self.ask("runs", "show", run_id)
                if shown["state"] == "finished":
                    return shown, progress

    def output_of_next_run(self, job: str) -> object:
        """What comes of the run of a job that somebody else asked for."""
        line = wait_for(
            self.events, f"the end of {job}", lambda line: f'"job":"{job}"' in line and '"event":"run-finished"' in line, self.said
        )
        shown = self.ask("runs", "show", json.loads(line)["run"])
        return shown["output"] if shown["outcome"] == "succeeded" else f"{shown['outcome']}: {shown['reason']}"

    def cancel(self, run_id: str, text: str) -> None:
        command = [self.clockbox, "runs", "logs", "-f", run_id, "-C", self.folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as logs:
            wait_for(follow(logs.stdout, []), f"{text!r} in the log", lambda line: text in line, self.said)
            self.ask("runs", "cancel", run_id, json_out=False)
            logs.terminate()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.listener.wait(PATIENCE)


def follow(stream, kept: list[str]) -> "queue.Queue[str | None]":
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            kept.append(line)
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def wait_for(lines, what: str, is_it, said: list[str]) -> str:
    while True:
        try:
            line = lines.get(timeout=PATIENCE)
        except queue.Empty:
            line = None
        if line is None:
            raise RuntimeError(f"too long without {what}, or no more of it; the host said:\n{''.join(said[-30:])}")
        if is_it(line):
            return line


def filled(value: object, job: str) -> object:
    """The table's value, with what stands for the job's name and for a long text put in."""
    if isinstance(value, str):
        return LARGE if value == "$large" else value.replace("$job", job)
    if isinstance(value, list):
        return [filled(each, job) for each in value]
    if isinstance(value, dict):
        return {filled(key, job): filled(each, job) for key, each in value.items()}
    return value


def differences(host: Host, job: str, step: dict) -> list[str]:
    """What came of a step that the table has otherwise."""
    args, expect = filled(step["args"], job), filled(step["expect"], job)
    run, progress = host.run(job, args, step.get("cancel_after"))
    reasons = [attempt["reason"] for attempt in run["attempts"]]
    guest_lines = [
        [line["level"], line["message"], dict(line.get("fields", []))] for line in run["logs"] if line["stream"] == "log"
    ]
    found = []

    def compare(what: str, expected: object, actual: object) -> None:
        if expected != actual:
            found.append(f"{what}: expected {shorten(expected)}, found {shorten(actual)}")

    compare("outcome", expect.get("outcome", "succeeded"), run["outcome"])
    compare("output", expect.get("output"), run["output"])
    compare("logs", expect.get("logs", []), guest_lines)
    compare("progress", expect.get("progress"), progress)
    wanted = expect.get("attempts", [expect.get("reason")])
    if len(wanted) != len(reasons) or not all(matches(*pair) for pair in zip(wanted, reasons)):
        found.append(f"reasons: expected {wanted}, found {reasons}")
    for key, value in expect.get("state", {}).items():
        compare(f"state {key}", value, host.ask("jobs", "state", job, "get", key, json_out=False).rstrip("\n"))
    for name, output in expect.get("runs", {}).items():
        compare(f"output of {name}", output, host.output_of_next_run(name))
    known = {job["name"]: job for job in host.ask("jobs", "list")} if "jobs" in expect else {}
    for name, keys in expect.get("jobs", {}).items():
        compare(f"there is a job {name}", keys is not None, name in known)
        for key, value in (keys or {}).items():
            compare(f"job {name}, {key}", value, within(known.get(name), key))
    return found


def within(value: object, path: str) -> object:
    """What lies at `a.b` in an object; None where there is nothing."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def matches(pattern: str | None, text: str | None) -> bool:
    if pattern is None or text is None:
        return pattern is text
    return text == pattern or ("*" in pattern and fnmatch.fnmatchcase(text, pattern))


def shorten(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:150]}…{text[-100:]} ({len(text)} characters)"


def manifest(languages: list[str], cases: list[dict], hellos: list[str], web: Web) -> str:
    parts = ['[scheduler]\nplugin_dir = "jobs"\ncompile = { timeout = "600s" }\n']
    for language in languages:
        parts.append(
            f"[plugins.{language}]\nallow = {{ state = true, jobs = {{ per_minute = 1000 }}, http = [{web.right()}] }}\n"
            'config = { colour = "red" }\nlimits = { output = "256KiB" }\n'
        )
        for case in cases:
            allow = "allow = {}\n" if case.get("allow") == {} else ""
            parts.append(
                f'[jobs.{language}-{case["name"]}]\nplugin = "{language}"\n{allow}'
                'trigger = { date = "2099-01-01" }\nretry = { attempts = 2, backoff = "1ms" }\n'
            )
    for hello in hellos:
        parts.append(f'[jobs.{hello}]\nplugin = "{hello}"\ntrigger = {{ date = "2099-01-01" }}\nargs = {{ name = "world" }}\n')
    return "\n".join(parts)


def figures(host: Host, hellos: list[str]) -> list[str]:
    """Of each hello job: its size, how long it took to compile, and how long a run takes and what memory it needs."""
    plugins = {plugin["name"]: plugin for plugin in host.ask("plugins", "list")}
    rows = ["| language | size | cold compile | warm run, median | memory of an instance |", "|---|---|---|---|---|"]
    for hello in hellos:
        times, peak = [], 0
        for _ in range(RUNS):
            run, _ = host.run(hello, {"name": "world"})
            if run["outcome"] != "succeeded" or run["output"] != "hello world":
                raise RuntimeError(f"{hello}: {run['outcome']}, {run['reason']}, {run['output']!r}")
            started, ended = run["attempts"][0]["started_at"], run["attempts"][0]["finished_at"]
            times.append(milliseconds(ended) - milliseconds(started))
            peak = max(peak, run["attempts"][0]["peak_memory"])
        compiled = plugins[hello]["compile_ms"]
        rows.append(
            f"| {hello.removeprefix('hello-')} | {size(plugins[hello]['size'])} "
            f"| {'from the cache' if compiled is None else f'{compiled / 1000:.1f} s'} "
            f"| {sorted(times)[RUNS // 2]:.1f} ms | {size(peak)} |"
        )
    return rows


def milliseconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} KB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clockbox", type=Path, required=True)
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("guests", type=Path)
    options = parser.parse_args()
    files = {file.stem: file for file in sorted(options.guests.glob("*.wasm"))}
    languages = [name for name in files if not name.startswith("hello-")]
    hellos = [name for name in files if name.startswith("hello-")] if options.figures else []
    if not languages:
        print(f"error: there is no LANGUAGE.wasm in {options.guests}; build.sh makes them", file=sys.stderr)
        return 2
    web = Web()
    cases = json.loads(web.named((Path(__file__).parent / "cases.json").read_text()))
    folder = Path(tempfile.mkdtemp(prefix="polyglot-"))
    failed = passed = 0
    try:
        (folder / "jobs").mkdir()
        for name in languages + hellos:
            shutil.copy(files[name], folder / "jobs")
        (folder / "clockbox.toml").write_text(manifest(languages, cases, hellos, web))
        # A cache of its own: what it costs to compile is a figure.
        os.environ["XDG_CACHE_HOME"] = str(options.guests / "cache")
        host = Host(options.clockbox.absolute(), folder, f"{languages[0]}-{cases[0]['name']}")
        try:
            for language in languages:
                wrong = 0
                mine = [case for case in cases if language in case.get("languages", languages)]
                for case in mine:
                    job = f"{language}-{case['name']}"
                    steps = case.get("steps", [case])
                    try:
                        found = [f"step {at}: {each}" for at, step in enumerate(steps, 1) for each in differences(host, job, step)]
                    except (RuntimeError, KeyError) as error:
                        found = [str(error)]
                    wrong += bool(found)
                    for each in found:
                        print(f"  {language}: {case['name']}: {each}")
                passed, failed = passed + len(mine) - wrong, failed + wrong
                print(f"{language}: {'ok' if not wrong else 'FAILED'}, {len(mine) - wrong} of {len(mine)} cases", flush=True)
            rows = figures(host, hellos)
        finally:
            host.stop()
        if hellos:
            print("\n".join(rows))
    finally:
        web.stop()
        shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
