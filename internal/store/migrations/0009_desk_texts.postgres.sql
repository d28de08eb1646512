-- Terms of communications, with the first one those of the case's subject, with
-- blanks between them. The index is over the terms as they are: a search must find just
-- what was stored, so nothing here parses a text or a query.
CREATE TABLE desk_texts (
    account    TEXT   NOT NULL,
    case_id    TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    terms      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, case_id, number)
);
CREATE INDEX desk_texts_terms ON desk_texts USING gin (string_to_array(terms, ' '));
