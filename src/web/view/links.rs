//! Every address of the H5 pages, written once. Templates and redirects take theirs here and assemble none by hand.
use crate::domain::bilingual::Lang;
use crate::domain::ids::{AnnouncementId, ChargeId, EnrolmentId, PayLinkId, ProgrammeId};
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::domain::voucher::VoucherCode;

pub const HOME: &str = "/h5";
pub const LOGIN: &str = "/h5/login";
pub const LOGOUT: &str = "/h5/logout";
pub const LOGOUT_EVERYWHERE: &str = "/h5/logout-everywhere";
pub const TUITION: &str = "/h5/tuition";
/// 生活缴费
pub const LIVING: &str = "/h5/living";
/// 其他缴费
pub const OTHER: &str = "/h5/other";
pub const CHECKOUT: &str = "/h5/checkout";
/// 确认缴费
pub const CONFIRM: &str = "/h5/confirm";
/// 手机验证, `?back=` the choice
pub const PHONE_CHECK: &str = "/h5/phone";
pub const PHONE_CODE: &str = "/h5/phone/code";
/// 缴费协议: open to everybody
pub const AGREEMENT: &str = "/h5/agreement";
pub const ORDERS: &str = "/h5/orders";
pub const PAID: &str = "/h5/paid";
/// 交易记录
pub const DEALINGS: &str = "/h5/dealings";
/// 我的
pub const ME: &str = "/h5/me";
pub const PASSWORD: &str = "/h5/me/password";
/// 个人信息
pub const PROFILE: &str = "/h5/me/profile";
/// 银行卡
pub const CARD: &str = "/h5/me/card";
/// 密保
pub const QUESTION: &str = "/h5/me/question";
/// 忘记密码
pub const FORGOT: &str = "/h5/forgot";
/// 忘记密码: the code of a text message
pub const RESET_CODE: &str = "/h5/forgot/code";
/// 忘记密码: the link of a mail, `?t=` what proves it
pub const RESET_LINK: &str = "/h5/forgot/link";
/// 统一身份认证, `?next=` the page that was wanted
pub const SSO: &str = "/h5/sso";
/// `?why=` nobody was signed in there
pub const SSO_TROUBLE: &str = "/h5/sso/trouble";
/// 注册, `?back=` the page that was wanted
pub const SIGN_UP: &str = "/h5/sign-up";
pub const SIGN_UP_CODE: &str = "/h5/sign-up/code";
pub const SIGN_UP_DETAILS: &str = "/h5/sign-up/details";
/// 激活邮箱: the link of a mail, `?t=` what proves it
pub const MAIL_LINK: &str = "/h5/mail";
/// 重新发送激活邮件
pub const MAIL_AGAIN: &str = "/h5/me/mail";
/// 留学生: sign in, register by e-mail
pub const INTERNATIONAL: &str = "/h5/international";
/// The link of a registration mail, `?t=` what proves it
pub const ACTIVATE: &str = "/h5/international/activate";
/// The studies bound to an account
pub const STUDIES: &str = "/h5/studies";
pub const CHOOSE_STUDY: &str = "/h5/studies/choose";
pub const UNBIND_STUDY: &str = "/h5/studies/unbind";
/// 家长代付
pub const PAY_FOR_ME: &str = "/h5/pay-for-me";
/// 公告
pub const NEWS: &str = "/h5/news";
/// 帮助
pub const HELP: &str = "/h5/help";
/// 验证凭证: open to everybody
pub const VERIFY: &str = "/verify";
/// 报名
pub const ENROL: &str = "/h5/enrol";
/// The door of the official account's menu, `?to=` the page that was wanted
pub const WECHAT_ENTER: &str = "/h5/wechat/enter";
/// 微信绑定
pub const WECHAT: &str = "/h5/me/wechat";
pub const WECHAT_UNBIND: &str = "/h5/me/wechat/unbind";
pub const SETTINGS: &str = "/h5/settings";

/// `?mode=user|id` of the sign-in page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LoginMode {
    /// 用户名: user name and password
    #[default]
    User,
    /// 证件号: document number and name
    Id,
}

impl LoginMode {
    pub const fn code(self) -> &'static str {
        match self {
            LoginMode::User => "user",
            LoginMode::Id => "id",
        }
    }

    pub fn parse(code: &str) -> Option<LoginMode> {
        [LoginMode::User, LoginMode::Id].into_iter().find(|mode| mode.code() == code)
    }
}

/// `back` is the path to return to after signing in; empty for none.
pub fn login(mode: LoginMode, back: &str) -> String {
    with_query(LOGIN, &[("mode", mode.code()), ("back", back)])
}

/// 统一身份认证; `next` is the path to go on to, empty for none.
pub fn sso(next: &str) -> String {
    if next.is_empty() { SSO.to_owned() } else { with_query(SSO, &[("next", next)]) }
}

pub fn sso_trouble(why: &str, next: &str) -> String {
    with_query(SSO_TROUBLE, &[("why", why), ("next", next)])
}

/// As [`login`]: the way to an account, with the page that was wanted.
pub fn sign_up(back: &str) -> String {
    with_query(SIGN_UP, &[("back", back)])
}

/// A later step of signing up ([`SIGN_UP_CODE`], [`SIGN_UP_DETAILS`]). The ticket is good in one browser only.
pub fn sign_up_step(path: &str, ticket: &str) -> String {
    with_query(path, &[("t", ticket)])
}

/// 确认缴费 of a selection: the page's key, and each charge with the amount chosen for it; none: all that is owed.
pub fn confirm(checkout_id: &str, selected: &[(ChargeId, Option<Fen>)]) -> String {
    let fields: Vec<(String, String)> = selected
        .iter()
        .flat_map(|(charge, amount)| {
            let typed = amount.map(|amount| (format!("amt{charge}"), amount.yuan()));
            [Some(("fee".to_owned(), charge.to_string())), typed]
        })
        .flatten()
        .collect();
    let mut query = vec![("checkout_id", checkout_id)];
    query.extend(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    with_query(CONFIRM, &query)
}

/// 手机验证 before a choice (the address of its 确认缴费) is ordered.
pub fn phone_check(back: &str) -> String {
    with_query(PHONE_CHECK, &[("back", back)])
}

/// As [`phone_check`], though a phone was proven.
pub fn other_phone(back: &str) -> String {
    with_query(PHONE_CHECK, &[("back", back), ("other", "1")])
}

/// The page that takes the code. The ticket is good in one browser only.
pub fn phone_code(ticket: &str, back: &str) -> String {
    with_query(PHONE_CODE, &[("t", ticket), ("back", back)])
}

/// 缴费协议, which leads back to where the payer came from.
pub fn agreement_from(back: &str) -> String {
    with_query(AGREEMENT, &[("back", back)])
}

/// 个人信息, which leads back to where the payer came from.
pub fn profile_from(back: &str) -> String {
    with_query(PROFILE, &[("back", back)])
}

/// The page that changes one amount without a script.
pub fn amount(charge: ChargeId) -> String {
    format!("/h5/tuition/{charge}/amount")
}

pub fn order(no: &OrderNo) -> String {
    format!("/h5/orders/{no}")
}

/// 我的, which says what was just done.
pub fn me_done(code: &str) -> String {
    with_query(ME, &[("done", code)])
}

/// 家长代付 of one order
pub fn pay_for_me(no: &OrderNo) -> String {
    with_query(PAY_FOR_ME, &[("order", no.as_str())])
}

/// One's own 代付链接
pub fn pay_link(id: &PayLinkId) -> String {
    format!("{PAY_FOR_ME}/{id}")
}

pub fn revoke_pay_link(id: &PayLinkId) -> String {
    format!("{}/revoke", pay_link(id))
}

pub fn pay_link_picture(id: &PayLinkId) -> String {
    format!("{}/code.png", pay_link(id))
}

/// 代付链接, for whoever has it
pub fn give(code: &str) -> String {
    format!("/for/{}", escape(code))
}

/// 付款出现问题
pub fn trouble(no: &OrderNo) -> String {
    format!("/h5/orders/{no}/trouble")
}

/// One service of 生活缴费
pub fn living(service: &str) -> String {
    format!("{LIVING}/{service}")
}

pub fn announcement(id: &AnnouncementId) -> String {
    format!("{NEWS}/{id}")
}

/// What the code of a 海报 says: its page, in the language that stands first on it.
pub fn poster(code: &str, lang: Lang) -> String {
    let lang = if lang == Lang::En { "en" } else { "" };
    with_query(&Door::Code(code.to_owned()).cashier(), &[("lang", lang)])
}

/// A step before a 海报: `person` (number and name, then who it is) or `fees`; with the ticket of a pass, and which of
/// several people it is.
pub fn poster_step(code: &str, step: &str, ticket: &str, who: &str) -> String {
    with_query(&format!("{}/{step}", Door::Code(code.to_owned()).cashier()), &[("t", ticket), ("who", who)])
}

/// 报名项目
pub fn programme(id: &ProgrammeId) -> String {
    format!("{ENROL}/{id}")
}

/// One's own 报名
pub fn enrolment(id: &EnrolmentId) -> String {
    format!("/h5/enrolments/{id}")
}

pub fn cancel_enrolment(id: &EnrolmentId) -> String {
    format!("/h5/enrolments/{id}/cancel")
}

pub fn receipt(no: &str) -> String {
    format!("/h5/paid/{}", escape(no))
}

/// The voucher as a picture (`png`) or a document (`pdf`).
pub fn voucher(no: &str, ending: &str) -> String {
    format!("{}/voucher.{ending}", receipt(no))
}

/// 票据查询: the fiscal e-receipt of a receipt.
pub fn ereceipt(no: &str) -> String {
    format!("{}/ereceipt", receipt(no))
}

pub fn ereceipt_picture(no: &str) -> String {
    format!("{}.png", ereceipt(no))
}

/// Lets the payer be told again.
pub fn ereceipt_again(no: &str) -> String {
    format!("{}/again", ereceipt(no))
}

/// The page that tells whether a voucher is genuine, with what stands on it filled in.
pub fn verify(receipt_no: &str, code: &VoucherCode) -> String {
    with_query(VERIFY, &[("no", receipt_no), ("code", &code.plain())])
}

/// What the payer's app said when its payment window closed. Only chooses words: the channel is asked in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Done,
    Cancelled,
    Failed,
}

impl Said {
    pub const fn code(self) -> &'static str {
        match self {
            Said::Done => "ok",
            Said::Cancelled => "cancel",
            Said::Failed => "fail",
        }
    }

    pub fn parse(code: &str) -> Option<Said> {
        [Said::Done, Said::Cancelled, Said::Failed].into_iter().find(|said| said.code() == code)
    }
}

/// The way to one order's pages: as its payer, signed in, or with nothing but its pay code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Door {
    Own(OrderNo),
    /// 聚合码. May pay this order and do nothing else.
    Code(String),
}

impl Door {
    pub fn cashier(&self) -> String {
        match self {
            Door::Own(no) => format!("/h5/cashier/{no}"),
            Door::Code(code) => format!("/q/{}", escape(code)),
        }
    }

    /// POST `csrf`, `method`
    pub fn pay(&self) -> String {
        self.cashier() + "/pay"
    }

    /// The page that starts the payment.
    pub fn go(&self) -> String {
        self.cashier() + "/go"
    }

    /// The open-in-browser guide.
    pub fn browser(&self) -> String {
        self.cashier() + "/browser"
    }

    /// POST `csrf`; only the payer may cancel.
    pub fn cancel(&self) -> Option<String> {
        match self {
            Door::Own(_) => Some(self.cashier() + "/cancel"),
            Door::Code(_) => None,
        }
    }

    pub fn code_png(&self) -> String {
        self.cashier() + "/code.png"
    }

    pub fn result(&self) -> String {
        match self {
            Door::Own(no) => format!("/h5/result/{no}"),
            Door::Code(_) => self.cashier() + "/result",
        }
    }

    pub fn result_said(&self, said: Said) -> String {
        with_query(&self.result(), &[("said", said.code())])
    }

    /// JSON `{"state", "next"}`; `next` is null while there is nothing to go to.
    pub fn state(&self) -> String {
        match self {
            Door::Own(_) => self.result() + "/state",
            Door::Code(_) => self.cashier() + "/state",
        }
    }

    /// Server-sent events with the same JSON.
    pub fn events(&self) -> String {
        match self {
            Door::Own(_) => self.result() + "/events",
            Door::Code(_) => self.cashier() + "/events",
        }
    }

    /// POST `csrf`: ask the channel now.
    pub fn ask(&self) -> String {
        match self {
            Door::Own(_) => self.result() + "/ask",
            Door::Code(_) => self.cashier() + "/ask",
        }
    }
}

/// Leaves out parameters without a value.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// One segment of a path.
fn escape(segment: &str) -> String {
    form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Back at the menu's door, with or without WeChat's word
pub fn wechat_entered(to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    format!("{WECHAT_ENTER}?asked=1&{query}")
}

/// Back at 微信绑定, with or without WeChat's word
pub fn wechat_known() -> String {
    format!("{WECHAT}?asked=1")
}

/// 微信绑定 after something was done; WeChat is not asked again for it
pub fn wechat_done(done: &str) -> String {
    format!("{WECHAT}?asked=1&done={done}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_only_what_was_chosen_and_is_escaped() {
        assert_eq!(login(LoginMode::Id, ""), "/h5/login?mode=id");
        assert_eq!(
            login(LoginMode::User, "/h5/tuition?x=1&y=2"),
            "/h5/login?mode=user&back=%2Fh5%2Ftuition%3Fx%3D1%26y%3D2"
        );
    }

    #[test]
    fn what_a_link_says_is_read_back() {
        assert_eq!(Said::parse("ok"), Some(Said::Done));
        assert_eq!(LoginMode::parse("ID"), None);
    }

    #[test]
    fn the_payers_door_and_the_codes_door_never_cross() {
        let own = Door::Own(OrderNo::parse("XF260901QMU000128").expect("well formed"));
        let code = Door::Code("a/b c".into());
        assert_eq!(own.pay(), "/h5/cashier/XF260901QMU000128/pay");
        assert_eq!(own.result_said(Said::Cancelled), "/h5/result/XF260901QMU000128?said=cancel");
        assert_eq!(own.events(), "/h5/result/XF260901QMU000128/events");
        assert_eq!(own.cancel().as_deref(), Some("/h5/cashier/XF260901QMU000128/cancel"));
        assert_eq!(code.result_said(Said::Done), "/q/a%2Fb%20c/result?said=ok");
        assert_eq!((code.state(), code.ask()), ("/q/a%2Fb%20c/state".into(), "/q/a%2Fb%20c/ask".into()));
        assert_eq!(code.cancel(), None);
    }
}
