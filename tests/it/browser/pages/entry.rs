//! Signing in, the first page, and what is said when there is no page.
use std::time::Duration;

use jiaofei::domain::payer::PayerKind;
use jiaofei::flow::session;

use crate::browser::gallery::{Gallery, in_both_languages};
use crate::world::phone::Device;
use crate::world::school;

impl Gallery {
    async fn try_to_sign_in(&self, number: &str, password: &str) {
        self.window.fill("#un", number).await;
        self.window.fill("#pw", password).await;
        if self.window.count("#cap").await > 0 {
            let id = self.window.script("return document.querySelector('[name=captcha_id]').value").await;
            let key = format!("captcha:{}", id.as_str().unwrap());
            let answer = self.stage.world.app.cache.get(&key).await.unwrap();
            self.window.fill("#cap", answer.split_once('|').unwrap().0).await;
        }
        self.send().await;
    }

    /// Sends the page's form and waits until the next page is there.
    async fn send(&self) {
        self.window.script("document.body.dataset.old = ''").await;
        self.window.click("main form [type=submit]").await;
        self.window.wait_for("return document.body && document.body.dataset.old === undefined").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_by_number_and_password() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        let number = gallery.student.number.clone();
        gallery.goto("/h5/login").await;
        gallery.hang_in_every_light("login").await;
        gallery.window.fill("#pw", "secret").await;
        gallery.window.click("#eye").await;
        gallery.hang("login-password-shown").await;
        gallery.window.click("#eye").await;
        gallery.try_to_sign_in("", "").await;
        gallery.hang("login-empty").await;
        gallery.try_to_sign_in(&number, "wrong!").await;
        gallery.hang("login-wrong").await;
        gallery.try_to_sign_in(&number, "wrong!").await;
        gallery.try_to_sign_in(&number, "wrong!").await;
        gallery.hang_in_every_light("login-captcha").await;
        gallery.window.fill("#cap", "0").await;
        gallery.window.fill("#pw", "wrong!").await;
        gallery.send().await;
        gallery.hang("login-captcha-wrong").await;
        gallery.try_to_sign_in(&number, "wrong!").await;
        gallery.try_to_sign_in(&number, "wrong!").await;
        gallery.window.see(gallery.says("错误次数太多", "Too many wrong tries")).await;
        gallery.hang("login-locked").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_by_document_and_name() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        let (world, student) = (&gallery.stage.world, &gallery.student);
        school::payer(&world.app, PayerKind::Staff, "T20110063", &student.name, &student.id_number).await;
        let (id, name) = (student.id_number.reveal().to_owned(), student.name.clone());
        gallery.goto("/h5/login?mode=id").await;
        gallery.hang("login-id").await;
        gallery.window.fill("#un", &id).await;
        gallery.window.fill("#nm", "别人").await;
        gallery.send().await;
        gallery.hang("login-id-wrong").await;
        gallery.window.fill("#un", &id).await;
        gallery.window.fill("#nm", &name).await;
        gallery.send().await;
        gallery.window.see(gallery.says("选择身份", "Choose an identity")).await;
        gallery.hang("login-choose").await;
        gallery.window.press(gallery.says("在校生", "Student")).await;
        gallery.send().await;
        gallery.window.see("9,350.00").await;
        gallery.hang("home-limited").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_and_the_ways_out() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        gallery.hang_in_every_light("home").await;
        let (world, student) = (&gallery.stage.world, &gallery.student);
        world.open_one(student.id, &[student.tuition, student.dormitory]).await;
        gallery.goto("/h5").await;
        gallery.hang("home-order-waiting").await;
        gallery.goto("/h5").await;
        gallery.window.press(gallery.says("退出登录", "Sign out")).await;
        gallery.window.see(gallery.says("已退出登录", "Signed out")).await;
        gallery.hang("message-signed-out").await;
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        gallery.window.press(gallery.says("在所有设备退出", "Sign out everywhere")).await;
        gallery.window.see(gallery.says("已在所有设备退出", "Signed out everywhere")).await;
        gallery.hang("message-signed-out-everywhere").await;
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        gallery.stage.world.clock.advance(session::LONGEST + Duration::from_secs(1));
        gallery.goto("/h5/tuition").await;
        gallery.window.see(gallery.says("登录已过期", "Your session has ended")).await;
        gallery.hang("login-expired").await;
    })
    .await;
}

/// A form of ours sent from a page, with whatever the story wants in it.
fn form(action: &str, name: &str, value: &str) -> String {
    format!(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '{action}';
         const own = document.querySelector('[name=csrf]'); if (own) form.append(own.cloneNode());
         const field = document.createElement('input'); field.name = '{name}'; field.value = {value};
         form.append(field); document.body.append(form); form.submit()"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_having_no_page() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        gallery.goto("/h5/nowhere").await;
        gallery.window.see(gallery.says("没有这个页面", "No such page")).await;
        gallery.hang_in_every_light("failure-404").await;
        gallery.goto("/h5/checkout").await;
        gallery.window.see(gallery.says("不能这样打开", "Cannot be opened this way")).await;
        gallery.hang("failure-405").await;

        for (name, action, value, words) in [
            ("failure-400", "/h5/checkout", "'x'", ("请求有误", "Bad request")),
            ("failure-413", "/h5/settings", "'x'.repeat(1 << 20)", ("内容太大", "Too large")),
        ] {
            gallery.goto("/h5").await;
            gallery.window.script(&form(action, "checkout_id", value)).await;
            gallery.window.see(gallery.says(words.0, words.1)).await;
            gallery.hang(name).await;
        }
        gallery.goto("/h5").await;
        gallery.window.script("document.querySelectorAll('[name=csrf]').forEach(field => field.value = 'old')").await;
        gallery.window.press(gallery.says("退出登录", "Sign out")).await;
        gallery.window.see(gallery.says("页面已过期", "The page has expired")).await;
        gallery.hang("failure-419").await;

        gallery.goto("/q/NotACode").await;
        gallery.window.see(gallery.says("没有这个付款码", "No such code")).await;
        gallery.hang("message-code-unknown").await;
        let stranger = gallery.stage.world.phone(Device::Mobile);
        for guess in 0..30 {
            stranger.get(&format!("/q/Guess{guess}")).await;
        }
        gallery.goto("/q/NotACode").await;
        gallery.window.see(gallery.says("操作太频繁", "Too many requests")).await;
        gallery.hang("failure-429").await;

        gallery.stage.world.app.db.read().clone().close().await.unwrap();
        gallery.goto("/h5/tuition").await;
        gallery.window.see(gallery.says("系统维护中", "Under maintenance")).await;
        gallery.hang("failure-503").await;
    })
    .await;
}
