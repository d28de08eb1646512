CREATE TABLE cases (
    account        TEXT   NOT NULL,
    id             TEXT   NOT NULL,
    display_id     TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    service_code   TEXT   NOT NULL,
    category_code  TEXT   NOT NULL,
    severity_code  TEXT   NOT NULL,
    issue_type     TEXT   NOT NULL,
    language       TEXT   NOT NULL,
    submitted_by   TEXT   NOT NULL,
    cc_addresses   TEXT   NOT NULL, -- one a line
    created_at     BIGINT NOT NULL,
    resolved_at    BIGINT NOT NULL,
    communications BIGINT NOT NULL,
    moves          BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE UNIQUE INDEX cases_display_id ON cases (account, display_id);
CREATE INDEX cases_created ON cases (account, created_at, id);
CREATE INDEX cases_open ON cases (account, created_at, id) WHERE status <> 'resolved';
CREATE INDEX cases_language ON cases (account, language, created_at, id);
CREATE INDEX cases_open_language ON cases (account, language, created_at, id) WHERE status <> 'resolved';

CREATE TABLE case_moves (
    account     TEXT   NOT NULL,
    case_id     TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    event       TEXT   NOT NULL,
    from_status TEXT   NOT NULL,
    to_status   TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account, case_id, number)
);

CREATE TABLE communications (
    account      TEXT   NOT NULL,
    case_id      TEXT   NOT NULL,
    number       BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    submitted_by TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (account, case_id, number)
);

CREATE TABLE attachment_sets (
    account    TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    files      BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX attachment_sets_created ON attachment_sets (account, created_at);
CREATE INDEX attachment_sets_expires ON attachment_sets (account, expires_at);

CREATE TABLE attachments (
    account       TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    set_id        TEXT   NOT NULL,
    position      BIGINT NOT NULL,
    file_name     TEXT   NOT NULL,
    size          BIGINT NOT NULL,
    sha256        TEXT   NOT NULL,
    case_id       TEXT   NOT NULL, -- empty until a communication takes the set
    communication BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE UNIQUE INDEX attachments_set ON attachments (account, set_id, position);
CREATE INDEX attachments_case ON attachments (account, case_id, communication, position);

-- First answers of requests that a client may repeat.
CREATE TABLE answers (
    account    TEXT   NOT NULL,
    key        BYTEA  NOT NULL,
    answer     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE INDEX answers_created ON answers (account, created_at);
