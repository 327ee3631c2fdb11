-- Version 4: what has expired of the state of jobs is found without reading what lasts. It is deleted with the job's next
-- change of its state, or with the old runs, whichever comes first.

CREATE INDEX state_by_expiry ON job_state (expires_at) WHERE expires_at IS NOT NULL;
