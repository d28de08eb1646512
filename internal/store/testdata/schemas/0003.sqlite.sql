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
CREATE TABLE accounts (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    plan       TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE answers (
    account    TEXT   NOT NULL,
    key        BYTEA  NOT NULL,
    answer     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, key)
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
CREATE TABLE communications (
    account      TEXT   NOT NULL,
    case_id      TEXT   NOT NULL,
    number       BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    submitted_by TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (account, case_id, number)
);
CREATE TABLE iam_version (
    id      BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
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
CREATE TABLE principals (
    account    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, kind, name)
);
CREATE TABLE schema_migrations (number BIGINT NOT NULL PRIMARY KEY);
CREATE TABLE settings (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
CREATE INDEX answers_created ON answers (account, created_at);
CREATE INDEX attachment_sets_created ON attachment_sets (account, created_at);
CREATE INDEX attachment_sets_expires ON attachment_sets (account, expires_at);
CREATE INDEX attachments_case ON attachments (account, case_id, communication, position);
CREATE UNIQUE INDEX attachments_set ON attachments (account, set_id, position);
CREATE INDEX cases_created ON cases (account, created_at, id);
CREATE UNIQUE INDEX cases_display_id ON cases (account, display_id);
CREATE INDEX cases_language ON cases (account, language, created_at, id);
CREATE INDEX cases_open ON cases (account, created_at, id) WHERE status <> 'resolved';
CREATE INDEX cases_open_language ON cases (account, language, created_at, id) WHERE status <> 'resolved';
ANALYZE schema_migrations;
DELETE FROM sqlite_stat1;
INSERT INTO access_keys VALUES ('111122223333','AKIA','user','alice',X'0001FF',1,1790000000000000,'',NULL,0);
INSERT INTO accounts VALUES ('111122223333','Retail','o@example.com','business','active',1790000000000000);
INSERT INTO answers VALUES ('111122223333',X'0100000000000000000000000000000000000000000000000000000000000000',X'7B2261223A317D',1790000000000000);
INSERT INTO attachment_sets VALUES ('111122223333','set',1790000000000000,1790000000000000,0,1);
INSERT INTO attachments VALUES ('111122223333','attachment','set',1,'a.txt',1,'00','a',1);
INSERT INTO case_moves VALUES ('111122223333','a',1,'customer-reply','unassigned','reopened','',1790000000000000);
INSERT INTO cases VALUES ('111122223333','a','a','It''s “broken”
ünïcode','unassigned','','','','','en','','',1,0,1,1);
INSERT INTO communications VALUES ('111122223333','a',1,'first','',1790000000000000);
INSERT INTO iam_version VALUES (1,2);
INSERT INTO policies VALUES ('111122223333','P','{}',1790000000000000);
INSERT INTO policy_attachments VALUES ('111122223333','user','alice','P');
INSERT INTO principals VALUES ('111122223333','user','alice','AIDA',1790000000000000);
INSERT INTO schema_migrations VALUES (1);
INSERT INTO schema_migrations VALUES (2);
INSERT INTO schema_migrations VALUES (3);
INSERT INTO settings VALUES ('setting',X'6B657074');
INSERT INTO sqlite_stat1 VALUES ('attachment_sets','attachment_sets_created','1000000 10000 1');
INSERT INTO sqlite_stat1 VALUES ('attachment_sets','attachment_sets_expires','1000000 10000 1');
INSERT INTO sqlite_stat1 VALUES ('attachment_sets','sqlite_autoindex_attachment_sets_1','1000000 10000 1');
INSERT INTO sqlite_stat1 VALUES ('attachments','attachments_case','1000000 10000 4 2 1');
INSERT INTO sqlite_stat1 VALUES ('attachments','attachments_set','1000000 10000 2 1');
INSERT INTO sqlite_stat1 VALUES ('attachments','sqlite_autoindex_attachments_1','1000000 10000 1');
INSERT INTO sqlite_stat1 VALUES ('cases','cases_created','1000000 10000 1 1');
INSERT INTO sqlite_stat1 VALUES ('cases','cases_display_id','1000000 10000 1');
INSERT INTO sqlite_stat1 VALUES ('cases','cases_language','1000000 10000 2500 1 1');
INSERT INTO sqlite_stat1 VALUES ('cases','cases_open','100000 1000 1 1');
INSERT INTO sqlite_stat1 VALUES ('cases','cases_open_language','100000 1000 250 1 1');
INSERT INTO sqlite_stat1 VALUES ('cases','sqlite_autoindex_cases_1','1000000 10000 1');
INSERT INTO sqlite_stat1 VALUES ('communications','sqlite_autoindex_communications_1','10000000 100000 10 1');
