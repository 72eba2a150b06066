//! The database connection: SQLite with one writer, or PostgreSQL; and the migrations.
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};

use super::error::Result;
use super::lines::{self, AtHand, Lines, PATIENCE, RESTED};
use crate::config;
use crate::metrics::counters::Metrics;

/// The doors to one database. SQLite has one writer, so all writes queue for a single connection instead of dying of
/// "database is locked"; readers have their own (WAL). On PostgreSQL single statements and transactions have a pool
/// each: pages, which only read, never keep a booking from beginning.
#[derive(Clone)]
pub struct Db {
    /// Single statements that read
    reader: Lines,
    /// Single statements that write
    single: Lines,
    /// Transactions
    writer: DatabaseConnection,
    metrics: Metrics,
}

impl Db {
    /// Connects; makes the SQLite file if it is not there. Does not migrate.
    pub async fn connect(config: &config::Database) -> Result<Db> {
        if !config.url.starts_with("sqlite:") {
            let open = |connections| {
                let mut options = ConnectOptions::new(&config.url);
                options.max_connections(connections).connect_timeout(PATIENCE);
                options.acquire_timeout(PATIENCE).sqlx_logging(false);
                // asking a connection that was used a moment ago doubles the way to a single row
                options.test_before_acquire_if_idle_for(RESTED);
                Database::connect(options)
            };
            // a single statement is over in a moment: a quarter carries the pages
            let quarter = (config.max_connections / 4).max(1);
            let writer = open((config.max_connections - quarter).max(1)).await?;
            let pool = open(quarter).await?;
            let lines = Lines::AtHand(Arc::new(AtHand::new(pool.get_postgres_connection_pool().clone())));
            return Ok(Db { reader: lines.clone(), single: lines, writer, metrics: Metrics::default() });
        }
        let open = |connections| {
            let mut options = ConnectOptions::new(&config.url);
            options.max_connections(connections).sqlx_logging(false).acquire_timeout(Duration::from_secs(30));
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(10))
            });
            Database::connect(options)
        };
        let writer = open(1).await?;
        let reader = Lines::Pool(open(config.max_connections.max(2)).await?);
        Ok(Db { reader, single: Lines::Pool(writer.clone()), writer, metrics: Metrics::default() })
    }

    /// Counts waits for the writer's door there.
    pub fn counted(self, metrics: Metrics) -> Db {
        Db { metrics, ..self }
    }

    pub fn read(&self) -> &Lines {
        &self.reader
    }

    /// For single statements that need no transaction.
    pub fn write(&self) -> &Lines {
        &self.single
    }

    /// Begins a writing transaction: IMMEDIATE on SQLite, READ COMMITTED on PostgreSQL. Dropped without commit, it is
    /// undone.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = match self.writer.get_database_backend() {
            DbBackend::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
            _ => TransactionOptions::default(),
        };
        let wanted = Instant::now();
        let begun = self.writer.begin_with_options(options).await;
        self.metrics.began(wanted.elapsed());
        Ok(begun?)
    }

    /// Brings the schema up to date. Two processes that start together wait for each other.
    pub async fn migrate(&self) -> Result<()> {
        match self.writer.get_database_backend() {
            DbBackend::Postgres => {
                let tx = self.writer.begin().await?;
                tx.execute_unprepared("SELECT pg_advisory_xact_lock(4720398845)").await?;
                Migrations::up(&tx, None).await?;
                tx.commit().await?;
            }
            _ => Migrations::up(&self.writer, None).await?,
        }
        Ok(())
    }

    /// Each pool: its name, its connections, how many of them are idle, and how many it may have.
    pub fn pools(&self) -> Vec<(&'static str, u32, usize, u32)> {
        let (open, idle, allowed) = self.reader.connections();
        let reader = ("reader", open, idle, allowed);
        let (open, idle, allowed) = match self.writer.get_database_backend() {
            DbBackend::Postgres => lines::of_pool(self.writer.get_postgres_connection_pool()),
            _ => lines::of_pool(self.writer.get_sqlite_connection_pool()),
        };
        vec![("writer", open, idle, allowed), reader]
    }

    /// Whether the database answers, for `/readyz`.
    pub async fn ping(&self) -> Result<()> {
        self.reader.query_one_raw(statement(&self.reader, "SELECT 1", [])).await?;
        Ok(())
    }
}

/// One SQL text for both databases: `$1` placeholders, which SQLite's driver takes too.
pub fn statement(db: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// `($1, $2), ($3, $4)` for `rows` rows of `width` values.
pub fn placeholders(rows: usize, width: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|at| format!("${}", row * width + at)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

struct Migrations;

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../migrations/", $name, ".sql")))),+];
    };
}

migrations![
    "0001_payers",
    "0002_charges",
    "0003_orders",
    "0004_chain",
    "0005_accounts",
    "0006_keys",
    "0007_events",
    "0008_announcements",
    "0009_profile",
    "0010_programmes",
    "0011_messages",
    "0012_api",
    "0013_ereceipts",
    "0014_counter_slips",
    "0015_sign_up",
    "0016_batches",
    "0017_living",
    "0018_announcement_reads",
    "0019_bindings",
    "0020_agreement",
    "0021_notes",
    "0022_international",
    "0023_posters",
    "0024_order_phone",
    "0025_pay_for_me",
    "0026_portal",
    "0027_departments"
];

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        FILES.iter().map(|(name, sql)| Box::new(File { name, sql }) as Box<dyn MigrationTrait>).collect()
    }
}

struct File {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for File {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for File {
    async fn up(&self, manager: &SchemaManager) -> std::result::Result<(), sea_orm::DbErr> {
        let db = manager.get_connection();
        let id = match db.get_database_backend() {
            DbBackend::Postgres => "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
        };
        db.execute_unprepared(&self.sql.replace("{{id}}", id)).await?;
        Ok(())
    }
}
