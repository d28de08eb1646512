-- Terms of communications, with the first one those of the case's subject, with
-- blanks between them. The id is the row in the index below; it is a column because
-- VACUUM gives other numbers to rows without one. The index is read by descending
-- ids, so a newer text has a greater one: its milliseconds in the upper 42 bits,
-- and a number within them.
CREATE TABLE desk_texts (
    id         INTEGER PRIMARY KEY,
    account    TEXT   NOT NULL,
    case_id    TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    terms      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, case_id, number)
);

-- Every character but spaces belongs to a term: a search must find just what was
-- stored ("FTS5 Extension", 4.3.1). It needs neither positions nor lengths.
CREATE VIRTUAL TABLE desk_search USING fts5 (
    terms,
    content = 'desk_texts', content_rowid = 'id', detail = 'none', columnsize = 0,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
);

-- What is not in the index yet: to add a text alone costs several times as much
-- as beside others. A search reads these few one by one.
CREATE TABLE desk_search_queue (
    id INTEGER PRIMARY KEY
);
CREATE TRIGGER desk_search_queue_full AFTER INSERT ON desk_search_queue
    WHEN (SELECT COUNT(*) FROM desk_search_queue) >= 64 BEGIN
    INSERT INTO desk_search (rowid, terms) SELECT t.id, t.terms FROM desk_search_queue AS q CROSS JOIN desk_texts AS t WHERE t.id = q.id;
    DELETE FROM desk_search_queue;
END;

CREATE TRIGGER desk_texts_inserted AFTER INSERT ON desk_texts
    WHEN new.id / 2097152 = MIN(MAX(new.created_at, 0) / 1000, 4398046511102) BEGIN
    INSERT INTO desk_search_queue (id) VALUES (new.id);
END;
-- An import knows nothing of ids.
CREATE TRIGGER desk_texts_imported AFTER INSERT ON desk_texts
    WHEN new.id / 2097152 <> MIN(MAX(new.created_at, 0) / 1000, 4398046511102) BEGIN
    UPDATE desk_texts SET id = COALESCE(
        (SELECT id + 1 FROM desk_texts
            WHERE id >= MIN(MAX(new.created_at, 0) / 1000, 4398046511102) * 2097152
            AND id < MIN(MAX(new.created_at, 0) / 1000, 4398046511102) * 2097152 + 2097152
            ORDER BY id DESC LIMIT 1),
        MIN(MAX(new.created_at, 0) / 1000, 4398046511102) * 2097152)
        WHERE id = new.id;
    INSERT INTO desk_search_queue (id) SELECT id FROM desk_texts
        WHERE account = new.account AND case_id = new.case_id AND number = new.number;
END;
CREATE TRIGGER desk_texts_deleted AFTER DELETE ON desk_texts BEGIN
    INSERT INTO desk_search (desk_search, rowid, terms) SELECT 'delete', old.id, old.terms
        WHERE NOT EXISTS (SELECT 1 FROM desk_search_queue WHERE id = old.id);
    DELETE FROM desk_search_queue WHERE id = old.id;
END;
