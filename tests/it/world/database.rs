//! A database and a cache of a test's own: SQLite and the in-process twin, or what the environment names.
//!
//! `JIAOFEI_TEST_DATABASE` (postgres://…): a fresh schema there. `JIAOFEI_TEST_REDIS` (redis://host:port/): a database
//! number nobody else has.
use sea_orm::{ConnectionTrait, Database, Statement};
use tempfile::TempDir;

pub struct TestDatabase {
    pub url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub async fn fresh() -> TestDatabase {
        let Ok(admin) = std::env::var("JIAOFEI_TEST_DATABASE") else {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}", folder.path().join("jiaofei.db").display());
            return TestDatabase { url, _folder: Some(folder) };
        };
        let schema = format!("t{}", jiaofei::clock::Chance::system().token(16).to_lowercase());
        let db = Database::connect(&admin).await.unwrap();
        db.execute_unprepared(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        let join = if admin.contains('?') { '&' } else { '?' };
        TestDatabase { url: format!("{admin}{join}options=-csearch_path%3D{schema}"), _folder: None }
    }
}

/// The address of a Redis database of this test's own; none when the in-process twin is wanted.
pub async fn fresh_redis() -> Option<String> {
    let base = std::env::var("JIAOFEI_TEST_REDIS").ok()?;
    let base = base.trim_end_matches('/').to_owned();
    let client = redis::Client::open(format!("{base}/0")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let number: u64 = redis::cmd("INCR").arg("tests").query_async(&mut connection).await.unwrap();
    Some(format!("{base}/{}", number % 16_383 + 1))
}

/// One number out of the database.
pub async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0).unwrap()
}
