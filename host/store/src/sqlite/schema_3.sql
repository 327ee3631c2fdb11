-- Version 3: what jobs remember from one run to the next. A job that goes takes its state along.

CREATE TABLE job_state (
    job        TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    value      BLOB NOT NULL,
    expires_at INTEGER, -- from then on it is as good as gone; it is deleted with the job's next change of its state
    PRIMARY KEY (job, key)
) STRICT;

CREATE VIEW state_list AS
SELECT
    job,
    key,
    length(value) AS bytes,
    strftime('%Y-%m-%dT%H:%M:%fZ', expires_at / 1e6, 'unixepoch') AS expires_at
FROM job_state
ORDER BY job, key;
