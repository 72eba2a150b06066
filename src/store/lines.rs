//! The way of single statements to the database.
//!
//! sqlx's pool asks each connection it is given back whether it is alive: a whole way to PostgreSQL and back after
//! every statement. So the connections single statements go over are not given back at once. They stay at hand and
//! serve the next statement; one that has rested, has served long, or whose statement failed or was broken off goes
//! back to the pool, which looks at it.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqlxError, Statement, Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{PgPool, Postgres};
use tokio::sync::Semaphore;

/// The longest a statement waits for a connection.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that was used within this time is there.
pub const RESTED: Duration = Duration::from_secs(1);
/// How long a connection may serve before the pool sees it again, which ends the old ones.
const SHIFT: Duration = Duration::from_secs(600);

/// A cheap handle; clones share their connections.
#[derive(Clone)]
pub enum Lines {
    Pool(DatabaseConnection),
    AtHand(Arc<AtHand>),
}

pub struct AtHand {
    pool: PgPool,
    /// As many as the pool may have connections, so that nobody waits for one that lies at hand
    turns: Semaphore,
    lines: Mutex<Vec<Line>>,
}

struct Line {
    connection: PoolConnection<Postgres>,
    taken_at: Instant,
    used_at: Instant,
}

type Ask<'q> = Query<'q, Postgres, SqlxValues>;

impl AtHand {
    pub fn new(pool: PgPool) -> AtHand {
        let turns = Semaphore::new(pool.options().get_max_connections() as usize);
        AtHand { pool, turns, lines: Mutex::default() }
    }

    async fn line(&self) -> Result<Line, DbErr> {
        // the last one used is the likeliest to be warm
        let rested = self.lines.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(line) = rested.filter(|line| line.used_at.elapsed() < RESTED && line.taken_at.elapsed() < SHIFT) {
            return Ok(line);
        }
        let connection = self.pool.acquire().await.map_err(|error| match error {
            SqlxError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            SqlxError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
        })?;
        Ok(Line { connection, taken_at: Instant::now(), used_at: Instant::now() })
    }

    /// Runs one statement. Only a line that came to its end is kept.
    async fn run<T>(
        &self,
        statement: Statement,
        act: impl AsyncFnOnce(&mut PoolConnection<Postgres>, Ask<'_>) -> Result<T, SqlxError>,
    ) -> Result<Result<T, SqlxError>, DbErr> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) };
        let mut line = self.line().await?;
        let values = SqlxValues(statement.values.unwrap_or(Values(Vec::new())));
        let ask = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values);
        let done = act(&mut line.connection, ask).await;
        if done.is_ok() {
            line.used_at = Instant::now();
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        Ok(done)
    }
}

impl Lines {
    /// No statement after this one is answered.
    pub async fn close(self) -> Result<(), DbErr> {
        match self {
            Lines::Pool(pool) => pool.close().await,
            Lines::AtHand(own) => {
                own.turns.close();
                own.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
                own.pool.close().await;
                Ok(())
            }
        }
    }

    /// Connections, how many of them are idle, and how many there may be.
    pub fn connections(&self) -> (u32, usize, u32) {
        match self {
            Lines::Pool(pool) => of_pool(pool.get_sqlite_connection_pool()),
            Lines::AtHand(own) => {
                let (open, idle, allowed) = of_pool(&own.pool);
                (open, idle + own.lines.lock().unwrap_or_else(PoisonError::into_inner).len(), allowed)
            }
        }
    }
}

/// A pool's connections, how many of them are idle, and how many it may have.
pub fn of_pool<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> (u32, usize, u32) {
    (pool.size(), pool.num_idle(), pool.options().get_max_connections())
}

fn exec_error(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query_error(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

#[async_trait::async_trait]
impl ConnectionTrait for Lines {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Lines::Pool(pool) => pool.get_database_backend(),
            Lines::AtHand(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Lines::Pool(pool) => pool.execute_raw(statement).await,
            Lines::AtHand(own) => {
                let done = own.run(statement, async |line, ask| ask.execute(&mut **line).await).await?;
                done.map(ExecResult::from).map_err(exec_error)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Lines::Pool(pool) => pool.execute_unprepared(sql).await,
            Lines::AtHand(own) => {
                let text = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                let done = text.execute(&own.pool).await;
                done.map(ExecResult::from).map_err(exec_error)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Lines::Pool(pool) => pool.query_one_raw(statement).await,
            Lines::AtHand(own) => {
                let row = own.run(statement, async |line, ask| ask.fetch_optional(&mut **line).await).await?;
                Ok(row.map_err(query_error)?.map(QueryResult::from))
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Lines::Pool(pool) => pool.query_all_raw(statement).await,
            Lines::AtHand(own) => {
                let rows = own.run(statement, async |line, ask| ask.fetch_all(&mut **line).await).await?;
                Ok(rows.map_err(query_error)?.into_iter().map(QueryResult::from).collect())
            }
        }
    }
}
