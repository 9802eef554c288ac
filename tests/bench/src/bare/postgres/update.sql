UPDATE "users" SET "title" = $1, "roster_version" = $2 WHERE "users"."id" = $3 AND "users"."roster_version" = $4
