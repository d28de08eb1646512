-- Each update of an account locks the account's row here first, so that the
-- updates of an account run one after the other on all nodes.
CREATE TABLE update_locks (
    name TEXT NOT NULL PRIMARY KEY
);
