-- One row, always present. `project_id` is filled when the server first starts.
CREATE TABLE settings (
    id INTEGER PRIMARY KEY CONSTRAINT settings_id_check CHECK (id = 1),
    project_name TEXT NOT NULL DEFAULT 'Roster',
    project_url TEXT,
    project_color TEXT NOT NULL DEFAULT '#6644FF',
    project_logo TEXT,
    public_foreground TEXT,
    public_background TEXT,
    public_favicon TEXT,
    public_note TEXT,
    project_descriptor TEXT,
    default_language TEXT NOT NULL DEFAULT 'en-US',
    default_appearance TEXT NOT NULL DEFAULT 'auto',
    default_theme_light TEXT,
    theme_light_overrides TEXT,
    default_theme_dark TEXT,
    theme_dark_overrides TEXT,
    custom_css TEXT,
    auth_login_attempts INTEGER DEFAULT 25,
    auth_password_policy TEXT,
    public_registration INTEGER NOT NULL DEFAULT 0,
    public_registration_verify_email INTEGER NOT NULL DEFAULT 1,
    public_registration_role TEXT
        CONSTRAINT settings_public_registration_role_foreign
        REFERENCES roles (id) ON DELETE SET NULL,
    public_registration_email_filter TEXT,
    project_id TEXT
) STRICT;

INSERT INTO settings (id) VALUES (1);
