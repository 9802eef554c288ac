use crate::database::{Database, Kind};

impl Database {
    /// Every table, sorted by name.
    pub async fn tables(&self) -> Vec<String> {
        let sql = match self.kind() {
            Kind::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                 ORDER BY name"
            }
            Kind::Postgres => {
                "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' \
                 ORDER BY tablename"
            }
        };
        let rows = self.rows(sql).await;
        rows.into_iter()
            .flatten()
            .map(|name| name.expect("a name"))
            .collect()
    }

    /// Everything a table holds, a row a line, bytes in hexadecimal.
    pub async fn dump(&self, table: &str) -> Vec<String> {
        let sql = match self.kind() {
            Kind::Sqlite => {
                let sql = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns = self.rows(&sql).await.into_iter().flatten().flatten();
                let quoted = columns
                    .map(|name| format!("quote(\"{name}\")"))
                    .collect::<Vec<_>>();
                format!("SELECT {} FROM \"{table}\"", quoted.join(" || ' ' || "))
            }
            Kind::Postgres => format!("SELECT CAST(t AS TEXT) FROM \"{table}\" t"),
        };
        let rows = self.rows(&sql).await;
        rows.into_iter()
            .flatten()
            .map(|row| row.expect("a text"))
            .collect()
    }

    /// Everything there is, a row a line, each after the name of its table.
    pub async fn everything(&self) -> String {
        let mut all = String::new();
        for table in self.tables().await {
            for row in self.dump(&table).await {
                all.extend([&table, " ", &row, "\n"]);
            }
        }
        all
    }
}
