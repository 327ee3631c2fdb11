-- Version 1 of the database. Times are microseconds since 1970 in UTC; names of states, outcomes, causes and streams
-- are those of `clockbox runs --json`. The views at the end are for people with the sqlite3 shell.

CREATE TABLE jobs (
    name       TEXT PRIMARY KEY,
    job        TEXT NOT NULL, -- JSON
    paused_at  INTEGER,
    pause_note TEXT
) STRICT;

-- What changes with every fire, apart from the job's declaration so that a fire rewrites a few bytes and not the JSON.
CREATE TABLE job_times (
    job          TEXT PRIMARY KEY REFERENCES jobs (name) ON DELETE CASCADE,
    next_fire    INTEGER,
    last_fire    INTEGER,
    last_success INTEGER
) STRICT, WITHOUT ROWID;

-- History outlives its job, hence no reference to it.
CREATE TABLE runs (
    id           INTEGER PRIMARY KEY,
    job          TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL,
    plugin       TEXT NOT NULL,
    pool         TEXT NOT NULL,
    cause        TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    retry_at     INTEGER,
    outcome      TEXT,
    reason       TEXT,
    output       TEXT,
    coalesced    INTEGER NOT NULL,
    args         TEXT
) STRICT;

-- The promise that a job and a scheduled time yield one record at most; also a job's history in order.
CREATE UNIQUE INDEX runs_by_job ON runs (job, scheduled_at);
-- The history of all jobs in order; also what pruning by age walks.
CREATE INDEX runs_by_time ON runs (scheduled_at);
-- Stays as small as the number of unfinished runs. (IN would build a table of its words at each change of a run.)
CREATE INDEX runs_unfinished ON runs (state)
    WHERE state = 'waiting' OR state = 'running' OR state = 'retrying';

CREATE TABLE attempts (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    outcome     TEXT,
    reason      TEXT,
    backtrace   TEXT,
    peak_memory INTEGER,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- One row for the lines that were appended together: a JSON array of {at, stream, level, message, fields}.
CREATE TABLE logs (
    run     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    part    INTEGER NOT NULL,
    lines   TEXT NOT NULL,
    PRIMARY KEY (run, attempt, part)
) STRICT, WITHOUT ROWID;

-- One row: the highest run id among deleted runs, so that no id is ever given twice.
CREATE TABLE deleted_runs (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    highest INTEGER NOT NULL
) STRICT;

CREATE VIEW job_list AS
SELECT
    jobs.name,
    json_extract(jobs.job, '$.plugin') AS plugin,
    json_extract(jobs.job, '$.pool') AS pool,
    strftime('%Y-%m-%dT%H:%M:%fZ', next_fire / 1e6, 'unixepoch') AS next_fire,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_fire / 1e6, 'unixepoch') AS last_fire,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_success / 1e6, 'unixepoch') AS last_success,
    strftime('%Y-%m-%dT%H:%M:%fZ', paused_at / 1e6, 'unixepoch') AS paused_at,
    pause_note
FROM jobs JOIN job_times ON job_times.job = jobs.name
ORDER BY jobs.name;

-- The text of a run id is its number in Crockford's base 32, 13 digits.
CREATE VIEW run_list AS
WITH digits (alphabet) AS (VALUES ('0123456789abcdefghjkmnpqrstvwxyz'))
SELECT
    substr(alphabet, (id >> 60 & 31) + 1, 1) || substr(alphabet, (id >> 55 & 31) + 1, 1)
    || substr(alphabet, (id >> 50 & 31) + 1, 1) || substr(alphabet, (id >> 45 & 31) + 1, 1)
    || substr(alphabet, (id >> 40 & 31) + 1, 1) || substr(alphabet, (id >> 35 & 31) + 1, 1)
    || substr(alphabet, (id >> 30 & 31) + 1, 1) || substr(alphabet, (id >> 25 & 31) + 1, 1)
    || substr(alphabet, (id >> 20 & 31) + 1, 1) || substr(alphabet, (id >> 15 & 31) + 1, 1)
    || substr(alphabet, (id >> 10 & 31) + 1, 1) || substr(alphabet, (id >> 5 & 31) + 1, 1)
    || substr(alphabet, (id & 31) + 1, 1) AS id,
    job,
    strftime('%Y-%m-%dT%H:%M:%fZ', scheduled_at / 1e6, 'unixepoch') AS scheduled_at,
    state,
    outcome,
    attempt,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1e6, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1e6, 'unixepoch') AS finished_at,
    cause,
    coalesced,
    reason,
    id AS number
FROM runs, digits
ORDER BY runs.scheduled_at DESC, runs.id DESC;

CREATE VIEW log_lines AS
SELECT
    logs.run AS number,
    logs.attempt,
    strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(line.value, '$.at') / 1e6, 'unixepoch') AS at,
    json_extract(line.value, '$.stream') AS stream,
    json_extract(line.value, '$.level') AS level,
    json_extract(line.value, '$.message') AS message,
    json_extract(line.value, '$.fields') AS fields
FROM logs, json_each(logs.lines) AS line
ORDER BY logs.run, logs.attempt, logs.part, line.key;
