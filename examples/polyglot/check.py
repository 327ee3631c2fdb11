#!/usr/bin/env python3
"""Runs the jobs of clockbox.toml until each has succeeded, and looks at what came out: see check.sh, which builds the plugins first.

usage: check.py CLOCKBOX FOLDER [PLUGIN…]

FOLDER has jobs/, work/ and data/ in it. The plugins that are named are left out, with their jobs. Prints a line for each job; exit
code 1 if one failed, or did not succeed in time.
"""

import gzip
import json
import queue
import re
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVED = "127.0.0.1:8931"  # where the manifest looks for serve.py
PATIENCE = 300  # seconds for what is waited for: a guard against a host that hangs, not a measure of anything


class Wrong(Exception):
    """What is not as it should be."""


def report_is_written(work: Path, _: list[str]) -> bool:
    report = work / "report/sales.csv"
    return report.is_file() and len(report.read_text().splitlines()) > 1


def log_is_rotated(work: Path, _: list[str]) -> bool:
    return any(gzip.decompress(file.read_bytes()) for file in work.glob("logs/*.gz"))


def picture_is_made(work: Path, _: list[str]) -> bool:
    picture = work / "pictures/clock.png"
    return picture.is_file() and picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def change_is_told(_: Path, told: list[str]) -> bool:
    return any(line.startswith("notified:") and '"/status"' in line for line in told)


# What a job leaves behind, beside its success: in `work`, or with the web.
LEAVES = {
    "csv-report": ("work/report/sales.csv has lines", report_is_written),
    "log-rotate": ("work/logs/*.gz can be unpacked", log_is_rotated),
    "json-watch": ("it told of a change", change_is_told),
    "resvg": ("work/pictures/clock.png is a PNG", picture_is_made),
}

# What a command says last is its output, where its plugin asks for that.
ANSWERS = {"stats": {"least": 1, "mean": 3.7, "greatest": 9}}


def without(manifest: str, skipped: set[str]) -> tuple[str, list[str]]:
    """The manifest without these plugins and their jobs; and the jobs that are left."""
    jobs = tomllib.loads(manifest).get("jobs", {})
    gone = {name for name, job in jobs.items() if job.get("plugin", name) in skipped}
    kept, keep = [], True
    for line in manifest.splitlines(keepends=True):
        if section := re.match(r"\[+(plugins|jobs)\.([^].]+)", line):
            keep = section[2].strip('"') not in (skipped if section[1] == "plugins" else gone)
        elif line.startswith("["):
            keep = True
        if keep:
            kept.append(line)
    return "".join(kept), [name for name in jobs if name not in gone]


def follow(stream, kept: list[str] | None = None) -> "queue.Queue[str | None]":
    """Its lines, as they come; None at its end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            if kept is not None:
                kept.append(line)
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def wait_for(lines: "queue.Queue[str | None]", what: str, is_it) -> None:
    """Takes lines until one is it, and not for ever: a host that works tells of something all the time."""
    said = []
    until = time.monotonic() + PATIENCE
    while True:
        try:
            line = lines.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            line = None
        if line is None:
            raise Wrong(f"there is no {what}, or too late; last heard:\n{''.join(said[-20:])}")
        said.append(line)
        if is_it(line):
            return


class Host:
    """A host that runs in a folder of its own."""

    def __init__(self, clockbox: str, folder: Path) -> None:
        self.clockbox, self.folder = clockbox, folder
        # A busy machine may take long to compile what Python makes; that is no failure here.
        command = [clockbox, "run", "--set", f"scheduler.compile.timeout={PATIENCE}s", folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.said = follow(self.process.stderr)

    def ask(self, *words: str) -> str:
        answer = subprocess.run([self.clockbox, *words, "-C", self.folder], capture_output=True, text=True, timeout=PATIENCE)
        if answer.returncode != 0:
            raise Wrong(f"clockbox {' '.join(words)}: exit code {answer.returncode}\n{answer.stdout}{answer.stderr}")
        return answer.stdout

    def runs(self) -> list[dict]:
        """The runs that are over, newest first."""
        return json.loads(self.ask("runs", "--state", "finished", "--limit", "10000", "--json"))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def succeed(host: Host, jobs: list[str], told: list[str]) -> dict[str, dict]:
    """Waits until each job has succeeded and left what it leaves; the first success of each."""
    events = subprocess.Popen(
        [host.clockbox, "events", "--json", "--event", "run-finished", "-C", host.folder], stdout=subprocess.PIPE, text=True
    )
    ended = follow(events.stdout)
    # Somebody who listens late misses nothing for good: each job runs every few seconds.
    missing = ["a first run"]

    def is_done(_: str) -> bool:
        for run in host.runs():
            if run["job"] in jobs and run["outcome"] != "succeeded":
                missing.clear()
                log = host.ask("runs", "logs", run["id"])
                raise Wrong(f"{run['job']}: {run['outcome']}: {run['reason']}; its log:\n{log}")
        done = {run["job"] for run in host.runs()}
        missing[:] = [f"{job}: no success" for job in jobs if job not in done]
        missing.extend(
            f"{job}: it does not hold that {what}"
            for job, (what, holds) in LEAVES.items()
            if job in jobs and not holds(host.folder / "work", told)
        )
        return not missing

    try:
        wait_for(ended, "success of each job", is_done)
    except Wrong as wrong:
        raise Wrong("\n".join([str(wrong), *missing])) from None
    finally:
        events.terminate()
        events.wait(PATIENCE)
    return {run["job"]: run for run in host.runs()}


def line_of(job: str, run: dict) -> str:
    output = json.dumps(run["output"], ensure_ascii=False)
    output = output if len(output) <= 90 else f"{output[:88]}…"
    left = f"; {LEAVES[job][0]}" if job in LEAVES else ""
    return f"{job:<15} {run['outcome']}: {output}{left}"


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    clockbox, folder, skipped = sys.argv[1], Path(sys.argv[2]), set(sys.argv[3:])
    web = subprocess.Popen([sys.executable, HERE / "serve.py", "0"], stdout=subprocess.PIPE, text=True)
    host = None
    try:
        port = int(web.stdout.readline())
        told: list[str] = []
        follow(web.stdout, told)
        manifest, jobs = without((HERE / "clockbox.toml").read_text(), skipped)
        if not jobs:
            raise Wrong("every plugin was skipped")
        (folder / "clockbox.toml").write_text(manifest.replace(SERVED, f"127.0.0.1:{port}"))
        host = Host(clockbox, folder)
        wait_for(host.said, "host that is ready", lambda line: "asked and changed at" in line)
        successes = succeed(host, jobs, told)
        for job in jobs:
            print(line_of(job, successes[job]))
            if (output := successes[job]["output"]) != ANSWERS.get(job, output):
                raise Wrong(f"{job}: its output is not {json.dumps(ANSWERS[job])}")
    except Wrong as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    finally:
        if host is not None:
            host.stop()
        web.terminate()
        web.wait(PATIENCE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
