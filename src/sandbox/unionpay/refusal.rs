//! What UnionPay says when it refuses, and with every other code: `respCode` and `respMsg` (ACP 5.1.0).
/// UnionPay says no. Nothing happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// respCode, two characters
    pub code: &'static str,
}

impl Refusal {
    pub const fn new(code: &'static str) -> Self {
        Self { code }
    }

    /// respMsg
    pub fn words(self) -> String {
        words(self.code)
    }
}

/// What UnionPay says with a code: its words and seven digits. Of the digits only those of 12 are known from outside.
pub fn words(code: &str) -> String {
    let text = match code {
        "00" => "成功",
        "A6" => "有缺陷的成功",
        "03" => "交易通讯超时，请发起查询交易",
        "04" => "交易状态未明，请查询对账结果",
        "05" => "交易已受理，请稍后查询交易结果",
        "10" => "报文格式错误",
        "11" => "验证签名失败",
        "12" => "重复交易",
        "13" => "报文交易要素缺失",
        "30" => "交易未通过，请尝试使用其他银联卡支付或联系95516",
        "31" => "商户状态不正确",
        "32" => "无此交易权限",
        "33" => "交易金额超限",
        "34" => "查无此交易",
        "35" => "原交易不存在或状态不正确",
        "39" => "交易不在受理时间范围内",
        "63" => "卡状态不正确",
        "64" => "银行卡余额不足",
        "65" => "输入的密码、有效期或CVN2有误",
        "45" => "原交易已被成功退货或已被成功撤销",
        _ => "交易失败，详情请咨询95516",
    };
    match code {
        "00" => format!("{text}[0000000]"),
        "12" => format!("{text}[2010002]"),
        code => format!("{text}[20{code}000]"),
    }
}
