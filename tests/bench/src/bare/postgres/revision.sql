INSERT INTO "revisions" ("activity", "collection", "item", "data", "delta") VALUES ($1, $2, $3, $4, $5)
