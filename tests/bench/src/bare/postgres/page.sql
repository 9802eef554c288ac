SELECT "users"."id", "users"."first_name", "users"."last_name", "users"."email", "users"."password" <> (''),
"users"."location", "users"."title", "users"."description", "users"."tags", "users"."avatar", "users"."language",
"users"."tfa_secret" <> (''), "users"."status", "users"."role", "users"."token" <> (''), "users"."last_access",
"users"."last_page", "users"."provider", "users"."external_identifier", "users"."auth_data",
"users"."email_notifications", "users"."appearance", "users"."theme_dark", "users"."theme_light",
"users"."theme_light_overrides", "users"."theme_dark_overrides", "users"."text_direction", (SELECT
COALESCE(jsonb_agg(listed.id), '[]'::jsonb) FROM (SELECT "t1"."id" AS "id" FROM "access" AS "t1" WHERE "t1"."user" =
"users"."id" ORDER BY "t1"."sort" ASC NULLS FIRST, "t1"."id" ASC LIMIT $1) AS listed) FROM "users" WHERE TRUE ORDER BY
"users"."id" ASC LIMIT $2 OFFSET $3
