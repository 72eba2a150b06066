//! The tables as sea-orm sees them: one module per table, plain columns. States and words are read in the modules
//! above, where a value that fits none is an error.
//! Entities know their parents by id and never their children.

macro_rules! table {
    ($(#[$doc:meta])* $module:ident = $name:literal { $($column:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                #[sea_orm(primary_key)]
                pub id: i64,
                $(pub $column: $kind),+
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table! {
    /// 缴费人
    payer = "payer" {
        kind: String,
        number: String,
        number_key: String,
        name: String,
        name_key: String,
        name_en: String,
        college: String,
        class_name: String,
        id_number_sealed: Option<String>,
        id_number_index: Option<String>,
        phone_sealed: Option<String>,
        password_hash: Option<String>,
        epoch: i64,
        created_at: i64,
        updated_at: i64,
    }
}

table! {
    /// 登录会话
    session = "session" {
        token_hash: String,
        payer_id: i64,
        rights: String,
        epoch: i64,
        created_at: i64,
        seen_at: i64,
        ended_at: Option<i64>,
    }
}

table! {
    /// 收费项目
    fee_item = "fee_item" {
        code: String,
        name: String,
        name_en: String,
        kind: String,
        payee_code: String,
        collection: String,
        opens_at: Option<i64>,
        closes_at: Option<i64>,
        min_split_fen: Option<i64>,
        fiscal_code: Option<String>,
        updated_at: i64,
    }
}

table! {
    /// 收费期间
    billing_period = "billing_period" {
        code: String,
        name: String,
        name_en: String,
    }
}

table! {
    /// 应收
    charge = "charge" {
        payer_id: i64,
        fee_item_id: i64,
        period_id: i64,
        assessed_fen: i64,
        waived_fen: i64,
        paid_fen: i64,
        refunded_fen: i64,
        due_day: Option<i64>,
        batch: String,
        created_at: i64,
    }
}

table! {
    /// 缴费单
    payment_order = "payment_order" {
        order_no: String,
        checkout_id: String,
        part: i64,
        payer_id: i64,
        payee_code: String,
        subject: String,
        total_fen: i64,
        pay_code: String,
        state: String,
        attempts: i64,
        created_at: i64,
        expires_at: i64,
        paid_at: Option<i64>,
        trade_no: Option<String>,
        product: Option<String>,
        closed_at: Option<i64>,
        close_reason: Option<String>,
        feed_no: Option<i64>,
        fed_at: Option<i64>,
    }
}

table! {
    /// 支付流水
    attempt = "attempt" {
        attempt_no: String,
        order_id: i64,
        channel: String,
        product: String,
        payee_code: String,
        amount_fen: i64,
        state: String,
        buyer_sealed: Option<String>,
        payer_ip: String,
        return_url: String,
        created_at: i64,
        expires_at: i64,
        ended_at: Option<i64>,
        inquiries: i64,
        next_inquiry_at: Option<i64>,
        gift_id: Option<i64>,
    }
}

table! {
    /// 收费单
    receipt = "receipt" {
        receipt_no: String,
        order_id: i64,
        payer_id: i64,
        issued_at: i64,
        issuer: String,
    }
}

table! {
    /// 退费
    refund = "refund" {
        refund_no: String,
        attempt_id: i64,
        order_id: i64,
        channel: String,
        payee_code: String,
        trade_no: String,
        cause: String,
        amount_fen: i64,
        total_fen: i64,
        reason: String,
        state: String,
        channel_refund_no: Option<String>,
        tries: i64,
        next_try_at: Option<i64>,
        created_at: i64,
        done_at: Option<i64>,
    }
}

table! {
    /// 待办
    office_item = "office_item" {
        kind: String,
        subject: String,
        details: String,
        created_at: i64,
        resolved_at: Option<i64>,
    }
}

table! {
    /// 接口密钥
    api_key = "api_key" {
        name: String,
        key_hash: String,
        scopes: String,
        created_at: i64,
        last_used_at: Option<i64>,
        revoked_at: Option<i64>,
    }
}
