-- The database's logins and what they may enter. Run as the server's administrator, inside the
-- database it is for; safe to run again, which is also how a password is changed.
--
-- Each login's password comes from the session setting `password.<login>`:
--   PGOPTIONS="-c password.cs_admin=… -c password.cs_api=…" psql -v ON_ERROR_STOP=1 -f roles.sql
-- What a login may do with tables and functions is deploy/grants.yaml, applied after migrating.

DO $$
DECLARE
    v_login text;
    v_password text;
BEGIN
    FOREACH v_login IN ARRAY ARRAY[
        'cs_migrator', 'cs_admin', 'cs_api', 'cs_callbacks', 'cs_worker', 'cs_sealer', 'cs_auditor', 'cs_backup'
    ] LOOP
        v_password := nullif(current_setting('password.' || v_login, true), '');
        IF v_password IS NULL THEN
            RAISE EXCEPTION 'password.% is not set', v_login;
        END IF;
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = v_login) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', v_login);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION INHERIT PASSWORD %L',
            v_login, v_password);
    END LOOP;
    -- Owns the definer functions, so that they never run with the migrator's rights.
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cs_definer') THEN
        CREATE ROLE cs_definer NOLOGIN;
    END IF;
    GRANT cs_definer TO cs_migrator;

    EXECUTE format('ALTER DATABASE %I OWNER TO cs_migrator', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    -- It once might: it owns one schema, which the migrations make, and makes none.
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM cs_definer', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO '
        'cs_migrator, cs_admin, cs_api, cs_callbacks, cs_worker, cs_sealer, cs_auditor, cs_backup',
        current_database());
END;
$$;

ALTER SCHEMA public OWNER TO cs_migrator;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public
TO cs_admin, cs_api, cs_callbacks, cs_worker, cs_sealer, cs_auditor, cs_backup;
GRANT USAGE, CREATE ON SCHEMA public TO cs_definer;

-- A new function is nobody's to call until the grant matrix says whose.
ALTER DEFAULT PRIVILEGES FOR ROLE cs_migrator REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE cs_definer REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
