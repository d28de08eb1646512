-- What a line of a case's record is about, so that it is found without reading
-- the others: a communication, by its number, or another case.
ALTER TABLE desk_records ADD COLUMN communication BIGINT NOT NULL DEFAULT 0;
ALTER TABLE desk_records ADD COLUMN other_case TEXT NOT NULL DEFAULT '';
CREATE INDEX desk_records_communication ON desk_records (account, case_id, communication) WHERE communication > 0;
CREATE INDEX desk_records_other_case ON desk_records (account, case_id, number) WHERE other_case <> '';
