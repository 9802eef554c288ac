-- Written in the transaction of the change it announces. `id` is the event id subscribers see and
-- stays the same over retries and replays. `sequence` follows the order of changes to one user only
-- if the entry is inserted after that user's row has been written, while its lock is held.
-- `kind` is event or mail, `user` is whose order the event belongs to.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    event TEXT NOT NULL,
    collection TEXT NOT NULL,
    item TEXT NOT NULL,
    "user" TEXT,
    payload TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX outbox_id_unique ON outbox (id);

-- One row for each subscriber of an event. `ordering_key` names the user or item whose order is
-- kept, `sequence` repeats the outbox sequence, and `fence` grows with every lease, so that a
-- worker whose lease ran out can no longer acknowledge.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL
        CONSTRAINT deliveries_event_foreign REFERENCES outbox (id) ON DELETE CASCADE,
    subscriber TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL
        CONSTRAINT deliveries_state_check CHECK (state IN ('pending', 'leased', 'done', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TEXT NOT NULL,
    lease_until TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    finished_at TEXT
) STRICT;

CREATE UNIQUE INDEX deliveries_event_subscriber_unique ON deliveries (event, subscriber);

-- Both serve claiming: what is due, and whether something earlier of the same order is unfinished.
-- They stay small because finished rows leave them. A statement must spell the two states as
-- literals in this very condition, otherwise the planner cannot use them.
CREATE INDEX deliveries_next_attempt_at_index ON deliveries (next_attempt_at)
WHERE state IN ('pending', 'leased');

CREATE INDEX deliveries_subscriber_ordering_key_sequence_index
ON deliveries (subscriber, ordering_key, sequence)
WHERE state IN ('pending', 'leased');
