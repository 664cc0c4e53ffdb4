"""The words of transcripts, kept in step with the utterances by triggers.

One document for each call, so that words are found wherever in the call they were said. SQLite
numbers documents by the time of the ring times 4096, so that the newest are found first.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# unicode61 cuts words as we cut what is typed. Without positions (detail=none) the index is small,
# and quick for words that occur in every call.
_SQLITE = (
    "CREATE TABLE search_calls (id INTEGER PRIMARY KEY, call_id VARCHAR(200) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE search USING fts5"
    "(words, detail=none, prefix='2 3 4 5', tokenize='unicode61 remove_diacritics 0')",
    "CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, instance)",
    # No OR IGNORE in it: the conflict clause of the statement that fires a trigger goes before
    # those within (https://www.sqlite.org/lang_createtrigger.html), and facts are upserts.
    *(
        f"""CREATE TRIGGER search_{name} AFTER {event} WHEN {when} BEGIN
            INSERT INTO search_calls (id, call_id)
            SELECT max(c.rang_at << 12, coalesce(
                (SELECT max(id) + 1 FROM search_calls
                 WHERE id BETWEEN c.rang_at << 12 AND (c.rang_at << 12) + 4095), 0)), c.call_id
            FROM calls c WHERE c.call_id = {row}.call_id
            AND NOT EXISTS (SELECT 1 FROM search_calls WHERE call_id = c.call_id);
            DELETE FROM search
            WHERE rowid = (SELECT id FROM search_calls WHERE call_id = {row}.call_id);
            INSERT INTO search (rowid, words)
            SELECT s.id, group_concat(u.text, char(10)) FROM search_calls s JOIN utterances u
            ON u.call_id = s.call_id WHERE s.call_id = {row}.call_id AND u.text IS NOT NULL
            GROUP BY s.id;
        END"""  # noqa: S608
        for name, event, when, row in (
            ("said", "INSERT ON utterances", "new.text IS NOT NULL", "new"),
            ("changed", "UPDATE OF text ON utterances", "new.text IS NOT old.text", "new"),
            ("unsaid", "DELETE ON utterances", "old.text IS NOT NULL", "old"),
            (
                "rang",  # after its first words, if records come in another order
                "INSERT ON calls",
                "EXISTS (SELECT 1 FROM utterances u WHERE u.call_id = new.call_id)",
                "new",
            ),
        )
    ),
    """CREATE TRIGGER search_gone AFTER DELETE ON calls BEGIN
        DELETE FROM search WHERE rowid = (SELECT id FROM search_calls WHERE call_id = old.call_id);
        DELETE FROM search_calls WHERE call_id = old.call_id;
    END""",
)

# PostgreSQL takes "ACME-12345" for a word and a negative number; as letters, digits and spaces
# everything is words.
_POSTGRESQL = (
    "CREATE TABLE search (call_id VARCHAR(200) PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE INDEX ix_search_words ON search USING gin (words)",
    r"""CREATE FUNCTION search_said() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE id text := coalesce(new.call_id, old.call_id);
    BEGIN
        DELETE FROM search WHERE call_id = id;
        INSERT INTO search (call_id, words)
        SELECT id, to_tsvector('simple', regexp_replace(string_agg(u.text, ' '),
            '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9'
            '\u00bb-\u00bf\u2000-\u206f]+', ' ', 'g'))
        FROM utterances u WHERE u.call_id = id AND u.text IS NOT NULL
        HAVING count(*) > 0
        ON CONFLICT (call_id) DO UPDATE SET words = excluded.words;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER search_said AFTER INSERT OR DELETE OR UPDATE OF text ON utterances"
    " FOR EACH ROW EXECUTE FUNCTION search_said()",
    """CREATE FUNCTION search_gone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM search WHERE call_id = old.call_id;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER search_gone AFTER DELETE ON calls FOR EACH ROW EXECUTE FUNCTION search_gone()",
)


def upgrade() -> None:
    """Bring the tables from the step before to this one."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if sqlite else _POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)
