-- Work for later. The installation's own has the empty account.
CREATE TABLE jobs (
    account      TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    unique_key   TEXT   NOT NULL,
    priority     BIGINT NOT NULL,
    payload      BYTEA,
    run_at       BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    attempt      BIGINT NOT NULL,
    lease        TEXT   NOT NULL,
    leased_until BIGINT NOT NULL,
    error        TEXT   NOT NULL,
    PRIMARY KEY (account, id)
);
-- Each of these holds only what somebody looks for: the jobs that wait, in the
-- order in which they are claimed; those that run, to find the ones whose
-- runners died; the unfinished one of a key; and the dead ones.
CREATE INDEX jobs_waiting ON jobs (priority, run_at, kind) WHERE state = 'waiting';
CREATE INDEX jobs_running ON jobs (leased_until) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_key ON jobs (account, kind, unique_key) WHERE unique_key <> '' AND state <> 'dead';
CREATE INDEX jobs_dead ON jobs (account, id) WHERE state = 'dead';

-- When a job that comes again and again is enqueued next.
CREATE TABLE schedules (
    name    TEXT   NOT NULL PRIMARY KEY,
    next_at BIGINT NOT NULL
);
