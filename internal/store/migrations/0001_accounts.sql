CREATE TABLE accounts (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    plan       TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE principals (
    account    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, kind, name)
);

CREATE TABLE access_keys (
    account       TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    sealed_secret BYTEA   NOT NULL,
    active        BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL,
    session_name  TEXT    NOT NULL,
    token_hash    BYTEA,
    expires_at    BIGINT  NOT NULL,
    PRIMARY KEY (account, id)
);

CREATE TABLE policies (
    account    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    document   TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);

CREATE TABLE policy_attachments (
    account TEXT NOT NULL,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    policy  TEXT NOT NULL,
    PRIMARY KEY (account, kind, name, policy)
);

-- One row that every change of the tables above counts up: nodes keep
-- credentials in memory only as long as it stands still.
CREATE TABLE iam_version (
    id      BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO iam_version (id, version) VALUES (1, 1);

-- Facts about the database itself, such as the proof that a master key fits.
CREATE TABLE settings (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
