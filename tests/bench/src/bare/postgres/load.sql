SELECT "users"."id", "users"."first_name", "users"."last_name", "users"."email", "users"."password" <> (''),
"users"."location", "users"."title", "users"."description", "users"."tags", "users"."avatar", "users"."language",
"users"."tfa_secret" <> (''), "users"."status", "users"."role", "users"."token" <> (''), "users"."last_access",
"users"."last_page", "users"."provider", "users"."external_identifier", "users"."auth_data",
"users"."email_notifications", "users"."appearance", "users"."theme_dark", "users"."theme_light",
"users"."theme_light_overrides", "users"."theme_dark_overrides", "users"."text_direction", "users"."roster_version" FROM
"users" WHERE "users"."id" = $1
