-- One row, always present. `project_id` is filled when the server first starts.
CREATE TABLE settings (
    id INTEGER PRIMARY KEY CONSTRAINT settings_id_check CHECK (id = 1),
    project_name TEXT COLLATE "C" NOT NULL DEFAULT 'Roster',
    project_url TEXT COLLATE "C",
    project_color TEXT COLLATE "C" NOT NULL DEFAULT '#6644FF',
    project_logo UUID,
    public_foreground UUID,
    public_background UUID,
    public_favicon UUID,
    public_note TEXT COLLATE "C",
    project_descriptor TEXT COLLATE "C",
    default_language TEXT COLLATE "C" NOT NULL DEFAULT 'en-US',
    default_appearance TEXT COLLATE "C" NOT NULL DEFAULT 'auto',
    default_theme_light TEXT COLLATE "C",
    theme_light_overrides JSONB,
    default_theme_dark TEXT COLLATE "C",
    theme_dark_overrides JSONB,
    custom_css TEXT COLLATE "C",
    auth_login_attempts INTEGER DEFAULT 25,
    auth_password_policy TEXT COLLATE "C",
    public_registration BOOLEAN NOT NULL DEFAULT false,
    public_registration_verify_email BOOLEAN NOT NULL DEFAULT true,
    public_registration_role UUID
        CONSTRAINT settings_public_registration_role_foreign
        REFERENCES roles (id) ON DELETE SET NULL,
    public_registration_email_filter JSONB,
    project_id UUID
);

INSERT INTO settings (id) VALUES (1);
