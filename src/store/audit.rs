//! The books added up again: each check is one query that gives the rows that do not agree, so a million charges need
//! no more memory than one.
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::db::statement;
use super::error::Result;

/// One thing that must hold everywhere, and the query for where it does not: subject, what stands there, what should.
pub struct Check {
    pub name: &'static str,
    sql: &'static str,
}

/// A row that does not agree.
#[derive(FromQueryResult, Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Which charge, order or refund
    pub subject: String,
    pub stands_fen: i64,
    pub should_be_fen: i64,
}

pub const CHECKS: [Check; 7] = [
    Check {
        name: "a charge's sums are those of its entries",
        sql: "SELECT 'charge ' || CAST(c.id AS TEXT) AS subject, \
              c.assessed_fen - c.waived_fen - c.paid_fen + c.refunded_fen AS stands_fen, \
              CAST(COALESCE(e.owed, 0) AS BIGINT) AS should_be_fen FROM charge c LEFT JOIN (SELECT charge_id, \
              SUM(CASE WHEN cause IN ('assessed', 'adjusted') THEN amount_fen ELSE 0 END) AS assessed, \
              SUM(CASE WHEN cause = 'waived' THEN amount_fen ELSE 0 END) AS waived, \
              SUM(CASE WHEN cause = 'paid' THEN amount_fen ELSE 0 END) AS paid, \
              SUM(CASE WHEN cause = 'refunded' THEN amount_fen ELSE 0 END) AS refunded, \
              SUM(CASE WHEN cause IN ('waived', 'paid') THEN -amount_fen ELSE amount_fen END) AS owed \
              FROM charge_entry GROUP BY charge_id) e ON e.charge_id = c.id \
              WHERE c.assessed_fen <> COALESCE(e.assessed, 0) OR c.waived_fen <> COALESCE(e.waived, 0) \
              OR c.paid_fen <> COALESCE(e.paid, 0) OR c.refunded_fen <> COALESCE(e.refunded, 0)",
    },
    Check {
        name: "an order's total is that of its lines",
        sql: "SELECT 'order ' || o.order_no AS subject, o.total_fen AS stands_fen, \
              CAST(COALESCE(SUM(l.amount_fen), 0) AS BIGINT) AS should_be_fen FROM payment_order o \
              LEFT JOIN order_line l ON l.order_id = o.id GROUP BY o.id, o.order_no, o.total_fen \
              HAVING o.total_fen <> COALESCE(SUM(l.amount_fen), 0)",
    },
    Check {
        name: "a paid order's lines, and no others, are entered as paid",
        sql: "SELECT 'order ' || o.order_no || ' charge ' || CAST(l.charge_id AS TEXT) AS subject, \
              COALESCE(e.amount_fen, 0) AS stands_fen, \
              CASE WHEN o.state = 'paid' THEN l.amount_fen ELSE 0 END AS should_be_fen \
              FROM order_line l JOIN payment_order o ON o.id = l.order_id LEFT JOIN charge_entry e \
              ON e.charge_id = l.charge_id AND e.cause = 'paid' AND e.cause_no = o.order_no \
              WHERE COALESCE(e.amount_fen, 0) <> CASE WHEN o.state = 'paid' THEN l.amount_fen ELSE 0 END",
    },
    Check {
        name: "a paid order has one settled trade of its total",
        sql: "SELECT 'order ' || o.order_no AS subject, CASE WHEN o.state = 'paid' THEN o.total_fen ELSE 0 END \
              AS stands_fen, COALESCE(t.amount_fen, 0) AS should_be_fen FROM payment_order o LEFT JOIN trade t \
              ON t.order_id = o.id AND t.outcome = 'settled' AND (o.trade_no IS NULL OR t.trade_no = o.trade_no) \
              WHERE COALESCE(t.amount_fen, 0) <> CASE WHEN o.state = 'paid' THEN o.total_fen ELSE 0 END",
    },
    Check {
        name: "a paid order, and no other, has one receipt",
        sql: "SELECT 'order ' || o.order_no AS subject, CAST(COUNT(r.id) AS BIGINT) AS stands_fen, \
              CAST(CASE WHEN o.state = 'paid' THEN 1 ELSE 0 END AS BIGINT) AS should_be_fen \
              FROM payment_order o LEFT JOIN receipt r ON r.order_id = o.id GROUP BY o.id, o.order_no, o.state \
              HAVING COUNT(r.id) <> CASE WHEN o.state = 'paid' THEN 1 ELSE 0 END",
    },
    Check {
        name: "surplus money is on its way back in full",
        sql: "SELECT 'trade ' || t.trade_no AS subject, CAST(COALESCE(SUM(r.amount_fen), 0) AS BIGINT) AS stands_fen, \
              t.amount_fen AS should_be_fen FROM trade t LEFT JOIN refund r ON r.trade_no = t.trade_no \
              AND r.channel = t.channel AND r.state <> 'closed' WHERE t.outcome = 'surplus' \
              GROUP BY t.channel, t.trade_no, t.amount_fen HAVING COALESCE(SUM(r.amount_fen), 0) <> t.amount_fen",
    },
    Check {
        name: "a line's refunds are those asked for, and its charge's those that are done",
        sql: "SELECT 'order ' || o.order_no || ' charge ' || CAST(l.charge_id AS TEXT) AS subject, l.refunded_fen \
              AS stands_fen, CAST(COALESCE(SUM(rl.amount_fen), 0) AS BIGINT) AS should_be_fen FROM order_line l \
              JOIN payment_order o ON o.id = l.order_id LEFT JOIN refund r ON r.order_id = l.order_id \
              AND r.cause = 'requested' AND r.state <> 'closed' LEFT JOIN refund_line rl ON rl.refund_id = r.id \
              AND rl.charge_id = l.charge_id GROUP BY o.order_no, l.order_id, l.charge_id, l.refunded_fen \
              HAVING l.refunded_fen <> COALESCE(SUM(rl.amount_fen), 0)",
    },
];

impl Check {
    /// The first `limit` rows that do not agree.
    pub async fn run(&self, db: &impl ConnectionTrait, limit: u32) -> Result<Vec<Difference>> {
        let sql = format!("{} LIMIT {limit}", self.sql);
        Ok(Difference::find_by_statement(statement(db, &sql, [])).all(db).await?)
    }
}
