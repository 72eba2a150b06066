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

pub const CHECKS: [Check; 15] = [
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
        name: "a line's refunds are those asked for",
        sql: "SELECT 'order ' || o.order_no || ' charge ' || CAST(l.charge_id AS TEXT) AS subject, l.refunded_fen \
              AS stands_fen, CAST(COALESCE(SUM(rl.amount_fen), 0) AS BIGINT) AS should_be_fen FROM order_line l \
              JOIN payment_order o ON o.id = l.order_id LEFT JOIN refund r ON r.order_id = l.order_id \
              AND r.cause = 'requested' AND r.state <> 'closed' LEFT JOIN refund_line rl ON rl.refund_id = r.id \
              AND rl.charge_id = l.charge_id GROUP BY o.order_no, l.order_id, l.charge_id, l.refunded_fen \
              HAVING l.refunded_fen <> COALESCE(SUM(rl.amount_fen), 0)",
    },
    Check {
        name: "a charge's entries as refunded are its refunds that are done",
        sql: "SELECT 'refund ' || r.refund_no || ' charge ' || CAST(l.charge_id AS TEXT) AS subject, \
              COALESCE(e.amount_fen, 0) AS stands_fen, \
              CASE WHEN r.state = 'done' THEN l.amount_fen ELSE 0 END AS should_be_fen \
              FROM refund_line l JOIN refund r ON r.id = l.refund_id LEFT JOIN charge_entry e \
              ON e.charge_id = l.charge_id AND e.cause = 'refunded' AND e.cause_no = r.refund_no \
              WHERE COALESCE(e.amount_fen, 0) <> CASE WHEN r.state = 'done' THEN l.amount_fen ELSE 0 END \
              UNION ALL SELECT 'refund ' || e.cause_no || ' charge ' || CAST(e.charge_id AS TEXT), e.amount_fen, 0 \
              FROM charge_entry e WHERE e.cause = 'refunded' AND NOT EXISTS (SELECT 1 FROM refund r \
              JOIN refund_line l ON l.refund_id = r.id WHERE r.refund_no = e.cause_no AND l.charge_id = e.charge_id)",
    },
    Check {
        name: "what is entered as paid was paid by an order or at the counter",
        sql: "SELECT 'charge ' || CAST(e.charge_id AS TEXT) || ' cause ' || e.cause_no AS subject, \
              e.amount_fen AS stands_fen, CAST(0 AS BIGINT) AS should_be_fen FROM charge_entry e \
              WHERE e.cause = 'paid' AND e.cause_no NOT LIKE 'counter%' AND NOT EXISTS (SELECT 1 FROM payment_order o \
              JOIN order_line l ON l.order_id = o.id WHERE o.order_no = e.cause_no AND l.charge_id = e.charge_id)",
    },
    Check {
        name: "nobody has paid more for a charge than it asks",
        sql: "SELECT 'charge ' || CAST(c.id AS TEXT) AS subject, c.paid_fen - c.refunded_fen AS stands_fen, \
              c.assessed_fen - c.waived_fen AS should_be_fen FROM charge c \
              WHERE c.paid_fen - c.refunded_fen > c.assessed_fen - c.waived_fen",
    },
    Check {
        name: "a trade's attempt is paid, of its order and channel, and of its amount when it is settled",
        sql: "SELECT 'trade ' || t.trade_no || ' attempt ' || a.attempt_no AS subject, t.amount_fen AS stands_fen, \
              CASE WHEN a.state <> 'paid' OR a.order_id <> t.order_id OR a.channel <> t.channel THEN 0 \
              ELSE a.amount_fen END AS should_be_fen FROM trade t JOIN attempt a ON a.id = t.attempt_id \
              WHERE a.state <> 'paid' OR a.order_id <> t.order_id OR a.channel <> t.channel \
              OR (t.outcome = 'settled' AND t.amount_fen <> a.amount_fen)",
    },
    Check {
        name: "a paid attempt has a trade",
        sql: "SELECT 'attempt ' || a.attempt_no AS subject, CAST(0 AS BIGINT) AS stands_fen, \
              a.amount_fen AS should_be_fen FROM attempt a \
              WHERE a.state = 'paid' AND NOT EXISTS (SELECT 1 FROM trade t WHERE t.attempt_id = a.id \
              AND t.order_id = a.order_id)",
    },
    Check {
        name: "surplus came to an order that had ended, and a mismatch differs from its order",
        sql: "SELECT 'trade ' || t.trade_no || ' order ' || o.order_no AS subject, t.amount_fen AS stands_fen, \
              CASE WHEN t.outcome = 'surplus' THEN 0 ELSE o.total_fen END AS should_be_fen \
              FROM trade t JOIN payment_order o ON o.id = t.order_id \
              WHERE (t.outcome = 'surplus' AND o.state = 'pending') \
              OR (t.outcome = 'mismatch' AND t.amount_fen = o.total_fen)",
    },
    Check {
        name: "no more goes back than came, and of a settled trade only what its lines say",
        sql: "SELECT 'trade ' || r.trade_no AS subject, CAST(SUM(r.amount_fen) AS BIGINT) AS stands_fen, \
              COALESCE(MAX(t.amount_fen), 0) AS should_be_fen FROM refund r LEFT JOIN trade t \
              ON t.channel = r.channel AND t.trade_no = r.trade_no AND t.order_id = r.order_id \
              WHERE r.state <> 'closed' GROUP BY r.channel, r.trade_no \
              HAVING SUM(r.amount_fen) > COALESCE(MAX(t.amount_fen), 0) \
              UNION ALL SELECT 'refund ' || r.refund_no, r.amount_fen, CAST(COALESCE(SUM(l.amount_fen), 0) AS BIGINT) \
              FROM refund r JOIN trade t ON t.channel = r.channel AND t.trade_no = r.trade_no \
              AND t.outcome = 'settled' LEFT JOIN refund_line l ON l.refund_id = r.id \
              GROUP BY r.id, r.refund_no, r.amount_fen HAVING r.amount_fen <> COALESCE(SUM(l.amount_fen), 0)",
    },
    Check {
        name: "what a payee's charges say came and went is what its channels say",
        sql: "SELECT 'payee ' || p.code AS subject, CAST(SUM(p.entered) AS BIGINT) AS stands_fen, \
              CAST(SUM(p.taken) AS BIGINT) AS should_be_fen FROM (\
              SELECT o.payee_code AS code, e.amount_fen AS entered, 0 AS taken FROM charge_entry e \
              JOIN payment_order o ON o.order_no = e.cause_no WHERE e.cause = 'paid' \
              UNION ALL SELECT r.payee_code, -e.amount_fen, 0 FROM charge_entry e \
              JOIN refund r ON r.refund_no = e.cause_no WHERE e.cause = 'refunded' \
              UNION ALL SELECT a.payee_code, 0, t.amount_fen FROM trade t \
              JOIN attempt a ON a.id = t.attempt_id WHERE t.outcome = 'settled' \
              UNION ALL SELECT r.payee_code, 0, -r.amount_fen FROM refund r JOIN trade t ON t.channel = r.channel \
              AND t.trade_no = r.trade_no WHERE t.outcome = 'settled' AND r.state = 'done') p \
              GROUP BY p.code HAVING SUM(p.entered) <> SUM(p.taken)",
    },
];

impl Check {
    /// The first `limit` rows that do not agree.
    pub async fn run(&self, db: &impl ConnectionTrait, limit: u32) -> Result<Vec<Difference>> {
        let sql = format!("{} LIMIT {limit}", self.sql);
        Ok(Difference::find_by_statement(statement(db, &sql, [])).all(db).await?)
    }
}

/// What came and went through one channel of one payee, in fen: the figures to hold against the channel's statements.
#[derive(FromQueryResult, Clone, PartialEq, Eq, Debug)]
pub struct Totals {
    pub payee_code: String,
    pub channel: String,
    /// Booked to orders
    pub settled_fen: i64,
    /// Came and could be booked to nothing
    pub surplus_fen: i64,
    /// Came in another amount than asked for
    pub mismatch_fen: i64,
    /// Of all this, what has gone back
    pub sent_back_fen: i64,
    /// And what is on its way back
    pub under_way_fen: i64,
}

pub async fn totals(db: &impl ConnectionTrait) -> Result<Vec<Totals>> {
    let sum = |name: &str, when: &str| {
        format!("CAST(SUM(CASE WHEN m.what IN ({when}) THEN m.fen ELSE 0 END) AS BIGINT) AS {name}")
    };
    let sql = format!(
        "SELECT m.payee_code, m.channel, {}, {}, {}, {}, {} FROM (SELECT a.payee_code AS payee_code, \
         t.channel AS channel, t.outcome AS what, t.amount_fen AS fen FROM trade t JOIN attempt a \
         ON a.id = t.attempt_id UNION ALL SELECT r.payee_code, r.channel, r.state, r.amount_fen FROM refund r) m \
         GROUP BY m.payee_code, m.channel ORDER BY m.payee_code, m.channel",
        sum("settled_fen", "'settled'"),
        sum("surplus_fen", "'surplus'"),
        sum("mismatch_fen", "'mismatch'"),
        sum("sent_back_fen", "'done'"),
        sum("under_way_fen", "'wanted', 'processing', 'abnormal'"),
    );
    Ok(Totals::find_by_statement(statement(db, &sql, [])).all(db).await?)
}
