-- Where an account's resources come from, sealed because of the secrets in it.
CREATE TABLE advisor_sources (
    account TEXT   NOT NULL PRIMARY KEY,
    sealed  BYTEA  NOT NULL,
    set_at  BIGINT NOT NULL
);

-- The last refresh of each check.
CREATE TABLE advisor_refreshes (
    account      TEXT   NOT NULL,
    check_id     TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    PRIMARY KEY (account, check_id)
);

-- The last result of each check, and its rows in portions: there may be a
-- hundred thousand.
CREATE TABLE advisor_results (
    account  TEXT  NOT NULL,
    check_id TEXT  NOT NULL,
    summary  BYTEA NOT NULL,
    PRIMARY KEY (account, check_id)
);
CREATE TABLE advisor_rows (
    account  TEXT   NOT NULL,
    check_id TEXT   NOT NULL,
    number   BIGINT NOT NULL,
    content  BYTEA  NOT NULL,
    PRIMARY KEY (account, check_id, number)
);

-- Summaries of earlier results.
CREATE TABLE advisor_history (
    account     TEXT   NOT NULL,
    check_id    TEXT   NOT NULL,
    computed_at BIGINT NOT NULL,
    summary     BYTEA  NOT NULL,
    PRIMARY KEY (account, check_id, computed_at)
);

-- Resources that have no part in a check.
CREATE TABLE advisor_exclusions (
    account     TEXT   NOT NULL,
    check_id    TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    excluded_at BIGINT NOT NULL,
    excluded_by TEXT   NOT NULL,
    PRIMARY KEY (account, check_id, resource_id)
);

-- What changed, in batches, until somebody takes it.
CREATE TABLE advisor_events (
    account    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    events     BYTEA  NOT NULL,
    PRIMARY KEY (account, created_at, id)
);
