-- The indexes of the desk, see 0003, with a hundred thousand of a million cases
-- open.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('cases', 'cases_display_id', '1000000 1 1'),
    ('desk_documents', 'sqlite_autoindex_desk_documents_1', '1000 150 1'),
    ('desk_items', 'sqlite_autoindex_desk_items_1', '1000000 10000 1'),
    ('desk_items', 'desk_items_open', '100000 2 2 1 1'),
    ('desk_items', 'desk_items_assignee', '100000 500 2 2 1'),
    ('desk_items', 'desk_items_team', '80000 4000 2 2 1'),
    ('desk_items', 'desk_items_account', '100000 1000 2 1'),
    ('desk_items', 'desk_items_service', '100000 2000 2 2 1'),
    ('desk_items', 'desk_items_severity', '100000 20000 2 2 1 1'),
    ('desk_items', 'desk_items_status', '100000 16000 2 2 1 1'),
    ('desk_items', 'desk_items_resolved', '900000 900000 9000 1 1 1 1 1 1'),
    ('desk_items', 'desk_items_resolved_account', '900000 9000 9000 1'),
    ('desk_items', 'desk_items_wake', '50000 1 1 1'),
    ('desk_tags', 'sqlite_autoindex_desk_tags_1', '500000 5000 2 1'),
    ('desk_tags', 'desk_tags_tag', '500000 2500 250 2 2 1'),
    ('desk_records', 'sqlite_autoindex_desk_records_1', '5000000 50000 5 1'),
    ('desk_texts', 'sqlite_autoindex_desk_texts_1', '10000000 100000 10 1'),
    ('desk_presences', 'sqlite_autoindex_desk_presences_1', '100 2 2 1'),
    ('desk_audit', 'sqlite_autoindex_desk_audit_1', '5000000 1 1'),
    ('desk_audit', 'desk_audit_agent', '5000000 50000 1 1'),
    ('desk_audit', 'desk_audit_action', '5000000 250000 1 1'),
    ('desk_audit', 'desk_audit_account', '5000000 50000 1 1'),
    ('desk_audit', 'desk_audit_subject', '5000000 5 1 1');
ANALYZE sqlite_schema;
