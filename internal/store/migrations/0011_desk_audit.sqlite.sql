-- An entry of the audit log stays as it is. INSERT OR REPLACE deletes without
-- the trigger of deletions ("Pragma statements", recursive_triggers).
CREATE TRIGGER desk_audit_replaced BEFORE INSERT ON desk_audit
    WHEN EXISTS (SELECT 1 FROM desk_audit WHERE created_at = new.created_at AND id = new.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER desk_audit_updated BEFORE UPDATE ON desk_audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER desk_audit_deleted BEFORE DELETE ON desk_audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
