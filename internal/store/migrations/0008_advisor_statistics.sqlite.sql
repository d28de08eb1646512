-- The indexes of Trusted Advisor, see 0003.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('advisor_sources', 'sqlite_autoindex_advisor_sources_1', '1000 1'),
    ('advisor_refreshes', 'sqlite_autoindex_advisor_refreshes_1', '250000 250 1'),
    ('advisor_results', 'sqlite_autoindex_advisor_results_1', '250000 250 1'),
    ('advisor_rows', 'sqlite_autoindex_advisor_rows_1', '500000 500 2 1'),
    ('advisor_history', 'sqlite_autoindex_advisor_history_1', '10000000 10000 40 1'),
    ('advisor_exclusions', 'sqlite_autoindex_advisor_exclusions_1', '100000 100 10 1'),
    ('advisor_events', 'sqlite_autoindex_advisor_events_1', '1000000 1000 10 1');
ANALYZE sqlite_schema;
