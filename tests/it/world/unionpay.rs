//! A payer on UnionPay's pages: from our launch page to its cashier, and back to us.
use super::app::TestApp;
use super::page::Page;
use super::phone::Phone;

/// What the cashier is told with 确认付款 and 密码错误.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Press {
    Pay,
    WrongPassword,
}

impl TestApp {
    /// Sends the launch page's form to UnionPay, as its script or its button does, and lands on the cashier, or on the
    /// gateway's page that says why not.
    pub async fn to_unionpay(&self, phone: &Phone, launch: &Page) -> Page {
        let form = launch.form(&format!("{}/gateway/api/frontTransReq.do", self.sandbox_url));
        let landed = phone.submit(&form).await;
        if landed.status != 302 {
            return landed;
        }
        phone.get(&format!("{}{}", self.sandbox_url, landed.location())).await
    }

    /// Presses a button of the cashier.
    pub async fn at_unionpay(&self, phone: &Phone, cashier: &Page, press: Press) -> Page {
        let mut form = cashier.form("/b2c/showCard.action");
        form.action = format!("{}{}", self.sandbox_url, form.action);
        let act = if press == Press::Pay { "pay" } else { "wrong_password" };
        phone.submit(&form.set("act", act)).await
    }

    /// 返回商户: after paying a form with what UnionPay has signed, before it a plain link. Lands on a page of ours.
    pub async fn back_from_unionpay(&self, phone: &Phone, page: &Page) -> Page {
        let ours = |link: &str| link.starts_with(&self.url);
        let page = match page.forms().into_iter().find(|form| ours(&form.action)) {
            Some(form) => phone.submit(&form).await,
            None => {
                let links = page.links();
                let back =
                    links.iter().find(|link| ours(link)).unwrap_or_else(|| panic!("no way back: {}", page.text()));
                phone.get(back).await
            }
        };
        phone.settle(page).await
    }
}
