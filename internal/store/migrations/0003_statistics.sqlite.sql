-- What a busy database looks like, for the query planner of SQLite: without
-- numbers it takes every index for a good one and reads all cases of an account
-- to find a few. The numbers are fixed, so the plans are too ("The SQLite Query
-- Optimizer Overview", Manual Control Of Query Plans Using SQLITE_STAT Tables);
-- nothing else runs ANALYZE. The first line only makes the table.
ANALYZE schema_migrations;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('cases', 'sqlite_autoindex_cases_1', '1000000 10000 1'),
    ('cases', 'cases_display_id', '1000000 10000 1'),
    ('cases', 'cases_created', '1000000 10000 1 1'),
    ('cases', 'cases_open', '100000 1000 1 1'),
    ('cases', 'cases_language', '1000000 10000 2500 1 1'),
    ('cases', 'cases_open_language', '100000 1000 250 1 1'),
    ('communications', 'sqlite_autoindex_communications_1', '10000000 100000 10 1'),
    ('attachment_sets', 'sqlite_autoindex_attachment_sets_1', '1000000 10000 1'),
    ('attachment_sets', 'attachment_sets_created', '1000000 10000 1'),
    ('attachment_sets', 'attachment_sets_expires', '1000000 10000 1'),
    ('attachments', 'sqlite_autoindex_attachments_1', '1000000 10000 1'),
    ('attachments', 'attachments_set', '1000000 10000 2 1'),
    ('attachments', 'attachments_case', '1000000 10000 4 2 1');
ANALYZE sqlite_schema;
