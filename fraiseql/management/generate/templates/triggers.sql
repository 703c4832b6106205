-- What changes {{ table }} brings these in step: {{ projections|join:", " }}.
CREATE OR REPLACE TRIGGER {{ bare }}_sync_insert
    AFTER INSERT ON {{ table }} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION {{ function }}();
CREATE OR REPLACE TRIGGER {{ bare }}_sync_update
    AFTER UPDATE ON {{ table }} REFERENCING OLD TABLE AS changed_from NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION {{ function }}();
CREATE OR REPLACE TRIGGER {{ bare }}_sync_delete
    AFTER DELETE ON {{ table }} REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION {{ function }}();
CREATE OR REPLACE TRIGGER {{ bare }}_sync_truncate
    AFTER TRUNCATE ON {{ table }}
    FOR EACH STATEMENT EXECUTE FUNCTION {{ function }}();
