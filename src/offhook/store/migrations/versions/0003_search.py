"""The index of calls that have ended: their words, and on SQLite all else that lists narrow by.

A call has one document, written by triggers when it ends, and again when something of it changes
later. So words are found wherever in the call they were said, and a call that goes on costs the
index nothing; such calls are few, and each is looked at.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SAME = ("target", "reason", "fault", "bot", "line", "model")
_OF_A_DOCUMENT = (*_SAME, "caller_hash", "accepted_at", "ended_at", "cost_usd")

# What is asked for as "at least" is in the index in steps: a call has each that it reaches.
_STEPS: dict[str, list[float]] = {
    "length_ms": [s * 1000 for s in (10, 20, 40, 60, 120, 300, 600, 1200, 1800, 3600)],
    "cost_usd": [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
}


def _digit(place: int) -> str:
    return f"instr('123456789abcdef', substr(c.caller_hash, {place}, 1))"


# A fact is a word of one letter of a private use area, so that it has no beginnings to index.
# Whatever shares a letter is told apart by a look at the call.
_LETTER = "char(57344 + f.id % 6400)"
_CALLERS = " + ".join(f"{16**n} * {_digit(-1 - n)}" for n in range(4))
_CALLERS_LETTER = f"char(983040 + ({_CALLERS}) % 65000)"

# An expression has no affinity, so a number stays a number beside texts.
_FACTS = " UNION ALL ".join(
    [
        *(f"SELECT call_id, '{name}' AS name, +{name} AS value FROM calls" for name in _SAME),  # noqa: S608
        *(
            f"SELECT c.call_id, f.name, +f.value FROM calls c CROSS JOIN search_facts f"  # noqa: S608
            f" WHERE f.name = '{name}' AND f.value <= c.{name}"
            for name in _STEPS
        ),
    ]
)

# Documents are numbered by the time of the ring times 4096, so that FTS5 itself gives the newest
# first. No OR IGNORE in it: the conflict clause of the statement that fires a trigger goes before
# those within (https://www.sqlite.org/lang_createtrigger.html), and facts are upserts.
_WRITE = f"""
    INSERT INTO search_calls (id, call_id)
    SELECT max(c.rang_at << 12, coalesce(
        (SELECT max(id) + 1 FROM search_calls
         WHERE id BETWEEN c.rang_at << 12 AND (c.rang_at << 12) + 4095), 0)), c.call_id
    FROM calls c WHERE c.call_id = new.call_id
    AND NOT EXISTS (SELECT 1 FROM search_calls WHERE call_id = new.call_id);
    UPDATE search_calls SET (length_ms, cost_usd) =
        (SELECT c.length_ms, c.cost_usd FROM calls c WHERE c.call_id = new.call_id)
    WHERE call_id = new.call_id;
    INSERT INTO search_facts (name, value)
    SELECT o.name, o.value FROM search_facts_of o
    WHERE o.call_id = new.call_id AND o.value IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM search_facts f WHERE f.name = o.name AND f.value = o.value);
    DELETE FROM search WHERE rowid = (SELECT id FROM search_calls WHERE call_id = new.call_id);
    INSERT INTO search (rowid, words, facts)
    SELECT s.id,
        (SELECT group_concat(u.text, char(10)) FROM utterances u WHERE u.call_id = new.call_id),
        (SELECT group_concat({_LETTER}, ' ') FROM search_facts_of o JOIN search_facts f
         ON f.name = o.name AND f.value = o.value WHERE o.call_id = new.call_id)
        || CASE WHEN c.caller_hash IS NULL THEN '' ELSE ' ' || {_CALLERS_LETTER} END
    FROM search_calls s JOIN calls c ON c.call_id = s.call_id WHERE s.call_id = new.call_id;
"""  # noqa: S608


def _row(when: str) -> str:
    return "(" + ", ".join(f"{when}.{name}" for name in _OF_A_DOCUMENT) + ")"


def _trigger(name: str, event: str, when: str, row: str) -> str:
    """Has the call of the row written into the index, if it has ended."""
    return f"""CREATE TRIGGER search_{name} AFTER {event} WHEN {when} BEGIN
        INSERT INTO search_due SELECT c.call_id FROM calls c
        WHERE c.call_id = {row}.call_id AND c.ended_at IS NOT NULL;
    END"""  # noqa: S608


# unicode61 cuts words as we cut what is typed. Without positions (detail=none) the index is small,
# and quick for words that occur in every call.
_SQLITE = (
    "CREATE TABLE search_calls (id INTEGER PRIMARY KEY, call_id VARCHAR(200) NOT NULL UNIQUE,"
    " length_ms BIGINT, cost_usd FLOAT)",
    "CREATE TABLE search_facts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value NOT NULL,"
    " UNIQUE (name, value))",
    *(
        f"INSERT INTO search_facts (name, value) VALUES ('{name}', {step})"  # noqa: S608
        for name, steps in _STEPS.items()
        for step in steps
    ),
    f"CREATE VIEW search_facts_of AS {_FACTS}",
    "CREATE VIRTUAL TABLE search USING fts5(words, facts, detail=none, columnsize=0,"
    " prefix='2 3 4 5', tokenize='unicode61 remove_diacritics 0')",
    "CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, instance)",
    "CREATE VIEW search_due AS SELECT NULL AS call_id WHERE false",  # a procedure, for triggers
    f"CREATE TRIGGER search_written INSTEAD OF INSERT ON search_due BEGIN {_WRITE} END",
    _trigger("said", "INSERT ON utterances", "new.text IS NOT NULL", "new"),
    _trigger("changed", "UPDATE OF text ON utterances", "new.text IS NOT old.text", "new"),
    _trigger("unsaid", "DELETE ON utterances", "old.text IS NOT NULL", "old"),
    _trigger("came", "INSERT ON calls", "new.ended_at IS NOT NULL", "new"),
    _trigger("ended", "UPDATE ON calls", f"{_row('new')} IS NOT {_row('old')}", "new"),
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
    r"""CREATE FUNCTION search_written() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE id text := coalesce(new.call_id, old.call_id);
    BEGIN
        IF EXISTS (SELECT 1 FROM calls c WHERE c.call_id = id AND c.ended_at IS NOT NULL) THEN
            DELETE FROM search WHERE call_id = id;
            INSERT INTO search (call_id, words)
            SELECT id, to_tsvector('simple', regexp_replace(string_agg(u.text, ' '),
                '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9'
                '\u00bb-\u00bf\u2000-\u206f]+', ' ', 'g'))
            FROM utterances u WHERE u.call_id = id AND u.text IS NOT NULL
            HAVING count(*) > 0
            ON CONFLICT (call_id) DO UPDATE SET words = excluded.words;
        END IF;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER search_said AFTER INSERT OR DELETE OR UPDATE OF text ON utterances"
    " FOR EACH ROW EXECUTE FUNCTION search_written()",
    "CREATE TRIGGER search_came AFTER INSERT ON calls FOR EACH ROW"
    " WHEN (new.ended_at IS NOT NULL) EXECUTE FUNCTION search_written()",
    "CREATE TRIGGER search_ended AFTER UPDATE OF ended_at ON calls FOR EACH ROW"
    " WHEN (new.ended_at IS DISTINCT FROM old.ended_at) EXECUTE FUNCTION search_written()",
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
