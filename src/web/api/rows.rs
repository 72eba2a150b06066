//! The rows of a batch as JSON, and as the cells the imports read, in the order of their columns.
use poem_openapi::{Enum, Object};

use super::arrears::Kind;
use super::text::{Form, Text, filled};
use crate::domain::fee::{Collection, FeeKind};
use crate::domain::money::Fen;
use crate::domain::payer::PayerKind;

/// 类别
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum PersonKind {
    /// 学生
    Student,
    /// 教职工
    Staff,
    /// 新生
    Newcomer,
    /// 校外
    Outsider,
}

/// 收费状态
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum Collecting {
    /// 收费
    Collecting,
    /// 停止
    Suspended,
}

/// One payer. 缴费人
#[derive(Object)]
#[oai(deny_unknown_fields, rename = "PayerRow")]
pub struct PayerRow {
    /// 人员编号: student or staff number
    #[oai(validator(min_length = 1, max_length = 32, custom = "Form::Number"))]
    number: Text,
    /// 姓名
    #[oai(validator(min_length = 1, max_length = 64, custom = "Form::Name"))]
    name: Text,
    /// 类别; a student where it is absent
    #[oai(nullable)]
    kind: Option<PersonKind>,
    /// 证件号, sealed as soon as it is read
    #[oai(nullable, validator(min_length = 1, max_length = 32, custom = "Form::Document"))]
    id_number: Option<Text>,
    /// 手机
    #[oai(nullable, validator(min_length = 5, max_length = 20, custom = "Form::Phone"))]
    phone: Option<Text>,
    /// 学院、部门
    #[oai(nullable, validator(max_length = 64, custom = "Form::Plain"))]
    college: Option<Text>,
    /// 班级
    #[oai(nullable, validator(max_length = 64, custom = "Form::Plain"))]
    class: Option<Text>,
    /// Name in Latin letters 英文名
    #[oai(nullable, validator(max_length = 96, custom = "Form::Plain"))]
    name_en: Option<Text>,
}

/// One fee item. 收费项目
#[derive(Object)]
#[oai(deny_unknown_fields, rename = "ItemRow")]
pub struct ItemRow {
    /// 项目编码
    #[oai(validator(min_length = 1, max_length = 32, custom = "Form::Code"))]
    code: Text,
    /// 项目名称
    #[oai(validator(min_length = 1, max_length = 64, custom = "Form::Name"))]
    name: Text,
    #[oai(nullable, validator(max_length = 96, custom = "Form::Plain"))]
    name_en: Option<Text>,
    /// 收费类型
    kind: Kind,
    /// 收款单位: its code in the configuration
    #[oai(validator(min_length = 1, max_length = 32, custom = "Form::Code"))]
    payee: Text,
    /// 收费状态; collecting where it is absent
    #[oai(nullable)]
    collection: Option<Collecting>,
    /// 收费起始: first day, `2026-09-01`
    #[oai(nullable, validator(custom = "Form::Day"))]
    opens: Option<Text>,
    /// 收费终止: last day, included
    #[oai(nullable, validator(custom = "Form::Day"))]
    closes: Option<Text>,
    /// 最小拆分金额: the least a part payment may be; none: no parts
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "9999999999")))]
    min_split_fen: Option<i64>,
    /// 非税项目编码: eleven digits, for fiscal e-receipts; absent: as it was
    #[oai(nullable, validator(min_length = 11, max_length = 11, custom = "Form::Digits"))]
    fiscal_code: Option<Text>,
}

/// One charge. 应收
#[derive(Object)]
#[oai(deny_unknown_fields, rename = "ChargeRow")]
pub struct ChargeRow {
    /// 人员编号 of a known payer
    #[oai(validator(min_length = 1, max_length = 32, custom = "Form::Number"))]
    number: Text,
    /// 收费期间: its code; an unknown one is made
    #[oai(validator(min_length = 1, max_length = 32, custom = "Form::Name"))]
    period: Text,
    /// 项目编码 of a known fee item
    #[oai(validator(min_length = 1, max_length = 32, custom = "Form::Code"))]
    item: Text,
    /// 应收金额, in fen
    #[oai(validator(minimum(value = "0"), maximum(value = "9999999999")))]
    assessed_fen: i64,
    /// 减免金额, in fen; absent: as it was
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "9999999999")))]
    waived_fen: Option<i64>,
    /// 实缴金额: paid at the counter, all in all, in fen; absent: as it was
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "9999999999")))]
    paid_fen: Option<i64>,
    /// 截止日期, `2026-09-30`
    #[oai(nullable, validator(custom = "Form::Day"))]
    due: Option<Text>,
    /// 收费批次: other fees of two batches are not paid together; absent: as it was, or the period's
    #[oai(nullable, validator(min_length = 1, max_length = 32, custom = "Form::Name"))]
    batch: Option<Text>,
    /// 收费日期: the day the counter took what this row adds to `paid_fen`
    #[oai(nullable, validator(custom = "Form::Day"))]
    paid_day: Option<Text>,
    /// 收费单号 of that payment
    #[oai(nullable, validator(max_length = 32, custom = "Form::Plain"))]
    slip_no: Option<Text>,
    /// 制单人: who took it
    #[oai(nullable, validator(max_length = 32, custom = "Form::Plain"))]
    clerk: Option<Text>,
}

fn yuan(fen: Option<i64>) -> String {
    fen.map(|fen| Fen::new(fen).yuan()).unwrap_or_default()
}

impl PayerRow {
    pub fn cells(self) -> Vec<String> {
        let kind = self.kind.map(|kind| match kind {
            PersonKind::Student => PayerKind::Student,
            PersonKind::Staff => PayerKind::Staff,
            PersonKind::Newcomer => PayerKind::Newcomer,
            PersonKind::Outsider => PayerKind::Outsider,
        });
        vec![
            self.number.0,
            self.name.0,
            kind.map(|kind| kind.code().to_owned()).unwrap_or_default(),
            filled(self.id_number),
            filled(self.phone),
            filled(self.college),
            filled(self.class),
            filled(self.name_en),
        ]
    }

    /// The field of a column, as reports call the column.
    pub fn field(column: &str) -> &'static str {
        match column {
            "姓名" => "name",
            "类别" => "kind",
            "身份证号" => "id_number",
            "手机" => "phone",
            "学院" => "college",
            "班级" => "class",
            "英文名" => "name_en",
            _ => "number",
        }
    }
}

impl ItemRow {
    pub fn cells(self) -> Vec<String> {
        let kind = match self.kind {
            Kind::Tuition => FeeKind::Tuition,
            Kind::Other => FeeKind::Other,
            Kind::Living => FeeKind::Living,
            Kind::Enrolment => FeeKind::Enrolment,
        };
        let collection = self.collection.map(|collection| match collection {
            Collecting::Collecting => Collection::Collecting,
            Collecting::Suspended => Collection::Suspended,
        });
        vec![
            self.code.0,
            self.name.0,
            filled(self.name_en),
            kind.code().to_owned(),
            self.payee.0,
            collection.map(|collection| collection.code().to_owned()).unwrap_or_default(),
            filled(self.opens),
            filled(self.closes),
            yuan(self.min_split_fen),
            filled(self.fiscal_code),
        ]
    }

    /// The field of a column, as reports call the column.
    pub fn field(column: &str) -> &'static str {
        match column {
            "项目名称" => "name",
            "收费类型" => "kind",
            "收款单位" => "payee",
            "收费状态" => "collection",
            "收费起始" => "opens",
            "收费终止" => "closes",
            "最小拆分金额" => "min_split_fen",
            "非税项目编码" => "fiscal_code",
            _ => "code",
        }
    }
}

impl ChargeRow {
    pub fn cells(self) -> Vec<String> {
        vec![
            self.number.0,
            self.period.0,
            self.item.0,
            yuan(Some(self.assessed_fen)),
            yuan(self.waived_fen),
            yuan(self.paid_fen),
            filled(self.due),
            filled(self.batch),
            filled(self.paid_day),
            filled(self.slip_no),
            filled(self.clerk),
        ]
    }

    /// The field of a column, as reports call the column.
    pub fn field(column: &str) -> &'static str {
        match column {
            "收费期间" => "period",
            "项目编码" => "item",
            "应收金额" => "assessed_fen",
            "减免金额" => "waived_fen",
            "实缴金额" => "paid_fen",
            "截止日期" => "due",
            "收费批次" => "batch",
            "收费日期" => "paid_day",
            "收费单号" => "slip_no",
            "制单人" => "clerk",
            _ => "number",
        }
    }
}
