UPDATE desk_records SET communication = COALESCE(json_extract(CAST(detail AS TEXT), '$.number'), 0)
    WHERE event IN ('replied', 'replied-for', 'opened-for');
UPDATE desk_records SET other_case = COALESCE(json_extract(CAST(detail AS TEXT), '$.case'), '')
    WHERE event IN ('linked', 'unlinked', 'merged', 'unmerged', 'merged-from', 'unmerged-from', 'merge-dissolved');
-- See 0003 and 0012.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('desk_records', 'desk_records_communication', '2000000 20000 2 1'),
    ('desk_records', 'desk_records_other_case', '50000 500 2 1');
ANALYZE sqlite_schema;
