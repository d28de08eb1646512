-- What administrators set up, see desk.Document.
CREATE TABLE desk_documents (
    kind       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    content    BYTEA  NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- Cases as the desk sees them. What has no due time has the greatest one, so
-- that it comes last.
CREATE TABLE desk_items (
    account     TEXT   NOT NULL,
    case_id     TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    severity    TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    language    TEXT   NOT NULL,
    assignee    TEXT   NOT NULL,
    team        TEXT   NOT NULL,
    tags        TEXT   NOT NULL, -- JSON, as are history and fired
    due_at      BIGINT NOT NULL,
    wake_at     BIGINT NOT NULL,
    history     TEXT   NOT NULL,
    fired       TEXT   NOT NULL,
    merged_into TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    records     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (account, case_id)
);

-- The queues are about open cases, of all accounts. What stands behind the case
-- in an index is looked at without looking at the item: a filter that lets few
-- through passes over many.
CREATE INDEX desk_items_open ON desk_items (due_at, account, case_id, language) WHERE status <> 'resolved';
CREATE INDEX desk_items_assignee ON desk_items (assignee, due_at, account, case_id) WHERE status <> 'resolved';
CREATE INDEX desk_items_team ON desk_items (team, due_at, account, case_id) WHERE status <> 'resolved' AND team <> '';
CREATE INDEX desk_items_account ON desk_items (account, due_at, case_id) WHERE status <> 'resolved';
CREATE INDEX desk_items_service ON desk_items (service, due_at, account, case_id) WHERE status <> 'resolved';
CREATE INDEX desk_items_severity ON desk_items (severity, due_at, account, case_id, language) WHERE status <> 'resolved';
CREATE INDEX desk_items_status ON desk_items (status, due_at, account, case_id, language) WHERE status <> 'resolved';
-- Of the others somebody wants all, or those of a customer.
CREATE INDEX desk_items_resolved ON desk_items (due_at, account, case_id, service, severity, assignee, team, language) WHERE status = 'resolved';
CREATE INDEX desk_items_resolved_account ON desk_items (account, due_at, case_id) WHERE status = 'resolved';
CREATE INDEX desk_items_wake ON desk_items (wake_at, account, case_id) WHERE wake_at > 0;

-- The tags of items, with what a queue of one tag goes by.
CREATE TABLE desk_tags (
    account TEXT    NOT NULL,
    case_id TEXT    NOT NULL,
    tag     TEXT    NOT NULL,
    due_at  BIGINT  NOT NULL,
    is_open BOOLEAN NOT NULL,
    PRIMARY KEY (account, case_id, tag)
);
CREATE INDEX desk_tags_tag ON desk_tags (tag, is_open, due_at, account, case_id);

CREATE TABLE desk_records (
    account    TEXT   NOT NULL,
    case_id    TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    agent      TEXT   NOT NULL,
    event      TEXT   NOT NULL,
    detail     BYTEA,
    PRIMARY KEY (account, case_id, number)
);

-- Who has a case before the eyes. There are few: an agent looks at one case.
CREATE TABLE desk_presences (
    account    TEXT    NOT NULL,
    case_id    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    replying   BOOLEAN NOT NULL,
    expires_at BIGINT  NOT NULL,
    PRIMARY KEY (account, case_id, agent)
);

-- The audit log. Triggers refuse to change it, see the next migration.
CREATE TABLE desk_audit (
    created_at BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    token_id   TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    was        BYTEA,
    became     BYTEA,
    PRIMARY KEY (created_at, id)
);
CREATE INDEX desk_audit_agent ON desk_audit (agent, created_at, id);
CREATE INDEX desk_audit_action ON desk_audit (action, created_at, id);
CREATE INDEX desk_audit_account ON desk_audit (account, created_at, id);
CREATE INDEX desk_audit_subject ON desk_audit (subject, created_at, id);

-- The desk looks for a display id in all accounts, the customer in one: both are
-- served by the index that keeps the ids unique.
DROP INDEX cases_display_id;
CREATE UNIQUE INDEX cases_display_id ON cases (display_id, account);

-- The desk builds the history of these when they wake, which is at once.
INSERT INTO desk_items (account, case_id, status, severity, service, language, assignee, team, tags, due_at, wake_at,
    history, fired, merged_into, version, records, created_at, changed_at)
SELECT account, id, status, severity_code, service_code, language, '', '', 'null', 9223372036854775807, 1,
    '{}', 'null', '', 1, 0, created_at, created_at FROM cases;
