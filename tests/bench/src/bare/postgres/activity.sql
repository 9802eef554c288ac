INSERT INTO "activity" ("action", "user", "timestamp", "ip", "user_agent", "collection", "item", "origin", "source",
"outcome", "detail") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING "id"
