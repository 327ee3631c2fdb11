-- Version 2: who paused a job, the pause of the whole scheduler, and what the manifest declares of a job that was
-- modified by hand.

ALTER TABLE jobs ADD COLUMN paused_by TEXT;
ALTER TABLE jobs ADD COLUMN declared TEXT; -- JSON; NULL where the job is as it was declared

-- One row while the whole scheduler is paused.
CREATE TABLE pause (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    paused_at INTEGER NOT NULL,
    paused_by TEXT,
    note      TEXT
) STRICT;

DROP VIEW job_list;
CREATE VIEW job_list AS
SELECT
    jobs.name,
    json_extract(jobs.job, '$.plugin') AS plugin,
    json_extract(jobs.job, '$.pool') AS pool,
    strftime('%Y-%m-%dT%H:%M:%fZ', next_fire / 1e6, 'unixepoch') AS next_fire,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_fire / 1e6, 'unixepoch') AS last_fire,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_success / 1e6, 'unixepoch') AS last_success,
    strftime('%Y-%m-%dT%H:%M:%fZ', paused_at / 1e6, 'unixepoch') AS paused_at,
    paused_by,
    pause_note,
    declared IS NOT NULL AS is_modified
FROM jobs JOIN job_times ON job_times.job = jobs.name
ORDER BY jobs.name;
