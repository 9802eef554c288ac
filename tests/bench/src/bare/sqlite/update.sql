UPDATE "users" SET "title" = ?, "roster_version" = ? WHERE "users"."id" = ? AND "users"."roster_version" = ?
