SELECT u."id", u."status", u."role", u."roster_generation", c."rules_epoch", c."schema_epoch", COALESCE(u."tfa_secret"
<> '', FALSE), s."sequence", s."rotated_at", s."last_used_at" FROM "users" u JOIN "sessions" s ON s."user" = u."id"
CROSS JOIN "counters" c WHERE s."id" = $1 AND u."id" = $2 AND s."ends_at" > $3 AND s."created_at" > $4 AND c."id" = 1
