use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `roster users`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Users {
    /// Takes users in from a file: CSV with a header of field names, or a JSON array.
    Import(Import),
}

/// `roster users import`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Import {
    /// The file, by its extension `.csv` or `.json`.
    pub file: PathBuf,
    /// Fields that are set only where they are named here, such as `id,role,status`.
    #[arg(long, value_name = "FIELDS", default_value = "")]
    pub allow: String,
    /// What is done with a row whose user is there, by id or e-mail.
    #[arg(long, value_parser = ["reject", "skip", "update"], default_value = "reject")]
    pub existing: String,
    /// Tries every row, hooks included, and stores nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Whether a refused row ends the import or is left behind.
    #[arg(long, value_parser = ["stop", "skip"], default_value = "stop")]
    pub on_error: String,
    /// The row to begin with, to go on after an import that ended.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub first_row: u32,
    /// How many rows are written in one transaction.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub batch: u32,
    /// What stands between the values of a CSV file: `,`, `;`, `|` or `tab`.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Writes what came of each row to this file, one line of JSON each.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}
