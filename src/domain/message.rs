//! 消息: what is told by mail, by text message or in WeChat, and how often it is tried.
use std::time::Duration;

use super::fee::coded;
use super::pause;

coded! {
    /// How a message goes
    Way {
        /// 邮件
        Mail = "mail",
        /// 短信
        Sms = "sms",
        /// 公众号通知
        Account = "account",
    }
}

coded! {
    /// What a message is for
    MessageKind {
        /// 忘记密码: the link to choose a new password
        ResetLink = "reset_link",
        /// 忘记密码: the code
        ResetCode = "reset_code",
        /// 注册: the code that proves a phone
        SignUpCode = "sign_up_code",
        /// 手机验证: the code that proves a phone before paying
        PayCode = "pay_code",
        /// 激活: the link that proves a mailbox, or opens an account by e-mail
        MailLink = "mail_link",
        /// 候补到名额: by mail
        SeatMail = "seat_mail",
        /// 候补到名额: by text message
        SeatText = "seat_text",
        /// 邮箱已更换: to the address before
        MailMoved = "mail_moved",
        /// 留学生: a study was bound to another account as well
        StudyShared = "study_shared",
        /// 登录提醒: a browser that was not seen before has signed in
        SignIn = "sign_in",
        /// 缴费成功, in WeChat
        PaidNote = "paid_note",
        /// 退款到账, in WeChat
        RefundedNote = "refunded_note",
        /// 缴费即将截止, in WeChat
        DueSoonNote = "due_soon_note",
        /// 登录提醒, in WeChat
        SignInNote = "sign_in_note",
    }
}

coded! {
    /// Where a message stands
    MessageState {
        /// To be tried when its time comes
        Waiting = "waiting",
        /// The mail server or the gateway has taken it
        Sent = "sent",
        /// Given up: refused for good, or of no use any more
        Failed = "failed",
        /// There is nobody it could go to
        Nobody = "nobody",
    }
}

impl MessageKind {
    pub const fn way(self) -> Way {
        match self {
            MessageKind::ResetLink
            | MessageKind::MailLink
            | MessageKind::SeatMail
            | MessageKind::MailMoved
            | MessageKind::StudyShared
            | MessageKind::SignIn => Way::Mail,
            MessageKind::ResetCode | MessageKind::SignUpCode | MessageKind::PayCode | MessageKind::SeatText => Way::Sms,
            MessageKind::PaidNote | MessageKind::RefundedNote | MessageKind::DueSoonNote | MessageKind::SignInNote => {
                Way::Account
            }
        }
    }

    /// How long it is of use after it was written; it is not tried any more then.
    pub const fn useful_for(self) -> Duration {
        match self {
            MessageKind::ResetLink => Duration::from_secs(30 * 60),
            MessageKind::ResetCode | MessageKind::SignUpCode | MessageKind::PayCode => Duration::from_secs(5 * 60),
            _ => Duration::from_secs(24 * 3600),
        }
    }
}

/// Seconds between tries
const PAUSES: [u64; 9] = [5, 15, 45, 120, 300, 900, 3_600, 14_400, 28_800];

/// How long to wait after the `tries`-th try (from 1), as [`pause::after`] has it.
pub fn pause_after(tries: i64, chance: u64) -> Option<Duration> {
    pause::after(&PAUSES, tries, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_tenth_try_is_the_last() {
        let pauses: Vec<u64> = (1..10).map(|tries| pause_after(tries, 0).unwrap().as_secs()).collect();
        assert!(pauses.is_sorted() && pauses[0] == 5, "{pauses:?}");
        assert_eq!((pause_after(10, 0), pause_after(0, 0)), (None, None));
        assert!(pause_after(1, u64::MAX).unwrap().as_millis() <= 5_500);
    }
}
