-- Version 5: runs that somebody wanted to stop, until they have. No column of runs, so that a run which nobody stops costs
-- nothing more; and no reference to it, as a run is never deleted before its end and its id is never given twice.

CREATE TABLE cancelling (
    run INTEGER PRIMARY KEY,
    why TEXT NOT NULL
) STRICT;
