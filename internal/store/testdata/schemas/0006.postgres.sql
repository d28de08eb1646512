SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.access_keys (
    account text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    sealed_secret bytea NOT NULL,
    active boolean NOT NULL,
    created_at bigint NOT NULL,
    session_name text NOT NULL COLLATE pg_catalog."C",
    token_hash bytea,
    expires_at bigint NOT NULL
);
CREATE TABLE public.accounts (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    email text NOT NULL COLLATE pg_catalog."C",
    plan text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
CREATE TABLE public.answers (
    account text NOT NULL COLLATE pg_catalog."C",
    key bytea NOT NULL,
    answer bytea NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.attachment_sets (
    account text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint NOT NULL,
    files bigint NOT NULL
);
CREATE TABLE public.attachments (
    account text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    set_id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    file_name text NOT NULL COLLATE pg_catalog."C",
    size bigint NOT NULL,
    sha256 text NOT NULL COLLATE pg_catalog."C",
    case_id text NOT NULL COLLATE pg_catalog."C",
    communication bigint NOT NULL
);
CREATE TABLE public.case_moves (
    account text NOT NULL COLLATE pg_catalog."C",
    case_id text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    event text NOT NULL COLLATE pg_catalog."C",
    from_status text NOT NULL COLLATE pg_catalog."C",
    to_status text NOT NULL COLLATE pg_catalog."C",
    actor text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
CREATE TABLE public.cases (
    account text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    display_id text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    service_code text NOT NULL COLLATE pg_catalog."C",
    category_code text NOT NULL COLLATE pg_catalog."C",
    severity_code text NOT NULL COLLATE pg_catalog."C",
    issue_type text NOT NULL COLLATE pg_catalog."C",
    language text NOT NULL COLLATE pg_catalog."C",
    submitted_by text NOT NULL COLLATE pg_catalog."C",
    cc_addresses text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    resolved_at bigint NOT NULL,
    communications bigint NOT NULL,
    moves bigint NOT NULL
);
CREATE TABLE public.communications (
    account text NOT NULL COLLATE pg_catalog."C",
    case_id text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C",
    submitted_by text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
CREATE TABLE public.iam_version (
    id bigint NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE public.jobs (
    account text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    unique_key text NOT NULL COLLATE pg_catalog."C",
    priority bigint NOT NULL,
    payload bytea,
    run_at bigint NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    attempt bigint NOT NULL,
    lease text NOT NULL COLLATE pg_catalog."C",
    leased_until bigint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.policies (
    account text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    document text NOT NULL COLLATE pg_catalog."C",
    changed_at bigint NOT NULL
);
CREATE TABLE public.policy_attachments (
    account text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    policy text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.principals (
    account text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);
CREATE TABLE public.schedules (
    name text NOT NULL COLLATE pg_catalog."C",
    next_at bigint NOT NULL
);
CREATE TABLE public.schema_migrations (
    number bigint NOT NULL
);
CREATE TABLE public.settings (
    name text NOT NULL COLLATE pg_catalog."C",
    value bytea NOT NULL
);
CREATE TABLE public.update_locks (
    name text NOT NULL COLLATE pg_catalog."C"
);
INSERT INTO public.access_keys VALUES ('111122223333', 'AKIA', 'user', 'alice', '\x0001ff', true, 1790000000000000, '', NULL, 0);
INSERT INTO public.accounts VALUES ('111122223333', 'Retail', 'o@example.com', 'business', 'active', 1790000000000000);
INSERT INTO public.answers VALUES ('111122223333', '\x0100000000000000000000000000000000000000000000000000000000000000', '\x7b2261223a317d', 1790000000000000);
INSERT INTO public.attachment_sets VALUES ('111122223333', 'set', 1790000000000000, 1790000000000000, 0, 1);
INSERT INTO public.attachments VALUES ('111122223333', 'attachment', 'set', 1, 'a.txt', 1, '00', 'a', 1);
INSERT INTO public.case_moves VALUES ('111122223333', 'a', 1, 'customer-reply', 'unassigned', 'reopened', '', 1790000000000000);
INSERT INTO public.cases VALUES ('111122223333', 'a', 'a', 'It''s “broken”
ünïcode', 'unassigned', '', '', '', '', 'en', '', '', 1, 0, 1, 1);
INSERT INTO public.communications VALUES ('111122223333', 'a', 1, 'first', '', 1790000000000000);
INSERT INTO public.iam_version VALUES (1, 2);
INSERT INTO public.jobs VALUES ('111122223333', 'job', 'kind', 'key', 0, '\x7b7d', 0, 'waiting', 0, '', 0, '');
INSERT INTO public.policies VALUES ('111122223333', 'P', '{}', 1790000000000000);
INSERT INTO public.policy_attachments VALUES ('111122223333', 'user', 'alice', 'P');
INSERT INTO public.principals VALUES ('111122223333', 'user', 'alice', 'AIDA', 1790000000000000);
INSERT INTO public.schema_migrations VALUES (1);
INSERT INTO public.schema_migrations VALUES (2);
INSERT INTO public.schema_migrations VALUES (4);
INSERT INTO public.schema_migrations VALUES (6);
INSERT INTO public.settings VALUES ('setting', '\x6b657074');
INSERT INTO public.update_locks VALUES ('iam');
INSERT INTO public.update_locks VALUES ('111122223333');
ALTER TABLE ONLY public.access_keys
    ADD CONSTRAINT access_keys_pkey PRIMARY KEY (account, id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.answers
    ADD CONSTRAINT answers_pkey PRIMARY KEY (account, key);
ALTER TABLE ONLY public.attachment_sets
    ADD CONSTRAINT attachment_sets_pkey PRIMARY KEY (account, id);
ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_pkey PRIMARY KEY (account, id);
ALTER TABLE ONLY public.case_moves
    ADD CONSTRAINT case_moves_pkey PRIMARY KEY (account, case_id, number);
ALTER TABLE ONLY public.cases
    ADD CONSTRAINT cases_pkey PRIMARY KEY (account, id);
ALTER TABLE ONLY public.communications
    ADD CONSTRAINT communications_pkey PRIMARY KEY (account, case_id, number);
ALTER TABLE ONLY public.iam_version
    ADD CONSTRAINT iam_version_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (account, id);
ALTER TABLE ONLY public.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (account, name);
ALTER TABLE ONLY public.policy_attachments
    ADD CONSTRAINT policy_attachments_pkey PRIMARY KEY (account, kind, name, policy);
ALTER TABLE ONLY public.principals
    ADD CONSTRAINT principals_pkey PRIMARY KEY (account, kind, name);
ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.update_locks
    ADD CONSTRAINT update_locks_pkey PRIMARY KEY (name);
CREATE INDEX answers_created ON public.answers USING btree (account, created_at);
CREATE INDEX attachment_sets_created ON public.attachment_sets USING btree (account, created_at);
CREATE INDEX attachment_sets_expires ON public.attachment_sets USING btree (account, expires_at);
CREATE INDEX attachments_case ON public.attachments USING btree (account, case_id, communication, "position");
CREATE UNIQUE INDEX attachments_set ON public.attachments USING btree (account, set_id, "position");
CREATE INDEX cases_created ON public.cases USING btree (account, created_at, id);
CREATE UNIQUE INDEX cases_display_id ON public.cases USING btree (account, display_id);
CREATE INDEX cases_language ON public.cases USING btree (account, language, created_at, id);
CREATE INDEX cases_open ON public.cases USING btree (account, created_at, id) WHERE (status <> 'resolved'::text);
CREATE INDEX cases_open_language ON public.cases USING btree (account, language, created_at, id) WHERE (status <> 'resolved'::text);
CREATE INDEX jobs_dead ON public.jobs USING btree (account, id) WHERE (state = 'dead'::text);
CREATE UNIQUE INDEX jobs_key ON public.jobs USING btree (account, kind, unique_key) WHERE ((unique_key <> ''::text) AND (state <> 'dead'::text));
CREATE INDEX jobs_running ON public.jobs USING btree (leased_until) WHERE (state = 'running'::text);
CREATE INDEX jobs_waiting ON public.jobs USING btree (priority, run_at, kind) WHERE (state = 'waiting'::text);
