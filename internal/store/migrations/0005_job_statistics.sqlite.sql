-- The indexes of the jobs, see 0003.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('jobs', 'sqlite_autoindex_jobs_1', '1000000 10000 1'),
    ('jobs', 'jobs_waiting', '900000 300000 1 1'),
    ('jobs', 'jobs_running', '1000 1'),
    ('jobs', 'jobs_key', '500000 5000 1000 1'),
    ('jobs', 'jobs_dead', '1000 100 1');
ANALYZE sqlite_schema;
