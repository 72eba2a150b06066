//! A browser with its jar of cookies. It follows no redirect unless told to, so that a story sees each step.
use reqwest::Client;
use reqwest::header::{ACCEPT_LANGUAGE, USER_AGENT};

use super::page::{Form, Page};
use super::school::Student;

/// What the browser says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    Wechat,
    WechatDesktop,
    Wecom,
    MiniProgram,
    Alipay,
    UnionPay,
    /// A browser on a phone
    Mobile,
    Desktop,
}

impl Device {
    pub const ALL: [Device; 8] = [
        Device::Wechat,
        Device::WechatDesktop,
        Device::Wecom,
        Device::MiniProgram,
        Device::Alipay,
        Device::UnionPay,
        Device::Mobile,
        Device::Desktop,
    ];

    pub fn user_agent(self) -> String {
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let windows =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0";
        let android = "Mozilla/5.0 (Linux; Android 14; PJD110) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0";
        match self {
            Device::Wechat => {
                format!("{android} Chrome/126.0.0.0 XWEB/1260093 MMWEBSDK/20240501 Mobile MicroMessenger/8.0.50.2701")
            }
            Device::WechatDesktop => {
                format!("{windows} NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13)")
            }
            Device::Wecom => format!("{iphone} Mobile/15E148 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh"),
            Device::MiniProgram => {
                format!("{iphone} Mobile/15E148 MicroMessenger/8.0.49(0x18003133) miniProgram/wx1234567890abcdef")
            }
            Device::Alipay => {
                format!("{iphone} Mobile/21F90 AliApp(AP/10.6.30.6000) AlipayClient/10.6.30.6000 Language/zh-Hans")
            }
            Device::UnionPay => format!("{android} Chrome/126.0.0.0 Mobile UnionPay/1.0 CloudPay"),
            Device::Mobile => format!("{iphone} Version/17.5 Mobile/15E148 Safari/604.1"),
            Device::Desktop => format!("{windows} Safari/537.36"),
        }
    }
}

#[derive(Clone)]
pub struct Phone {
    http: Client,
    base: String,
    device: Device,
    /// Sent with every request
    pub headers: Vec<(String, String)>,
}

impl Phone {
    pub fn new(base: &str, device: Device) -> Phone {
        let http = Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Phone { http, base: base.to_owned(), device, headers: Vec::new() }
    }

    /// Sends one more header with every request.
    pub fn with_header(mut self, name: &str, value: &str) -> Phone {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks for a path of the app, or for an absolute address.
    pub async fn get(&self, path: &str) -> Page {
        self.send(self.http.get(self.address(path)), path).await
    }

    /// Gets a page and follows redirects, but not out of the app.
    pub async fn open(&self, path: &str) -> Page {
        let page = self.get(path).await;
        self.settle(page).await
    }

    /// Follows what an answer says until it is a page; an address elsewhere is not followed.
    pub async fn settle(&self, mut page: Page) -> Page {
        for _ in 0..10 {
            if !(300..400).contains(&page.status) {
                return page;
            }
            let next = page.location().to_owned();
            if next.contains("://") && !next.starts_with(&self.base) {
                return page;
            }
            page = self.get(&next).await;
        }
        panic!("{} redirects for ever", page.path);
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(self.http.post(self.address(path)).form(fields), path).await
    }

    /// A POST with any body.
    pub async fn post_raw(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Page {
        let request = self.http.post(self.address(path)).header("content-type", content_type).body(body);
        self.send(request, path).await
    }

    pub async fn request(&self, method: &str, path: &str) -> Page {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.send(self.http.request(method, self.address(path)), path).await
    }

    /// Sends a form as it stands.
    pub async fn submit(&self, form: &Form) -> Page {
        self.try_submit(form).await.unwrap()
    }

    /// As [`Phone::get`], where the other side may be gone.
    pub async fn try_get(&self, path: &str) -> reqwest::Result<Page> {
        self.try_send(self.http.get(self.address(path)), path).await
    }

    /// As [`Phone::submit`], where the other side may be gone.
    pub async fn try_submit(&self, form: &Form) -> reqwest::Result<Page> {
        let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let address = self.address(&form.action);
        let request = match form.method.as_str() {
            "post" => self.http.post(address).form(&fields),
            _ => self.http.get(address).query(&fields),
        };
        self.try_send(request, &form.action).await
    }

    /// Signs in with user name and password as a person does, and lands on the first page.
    pub async fn sign_in(&self, student: &Student) -> Page {
        let form = self.get("/h5/login").await.form("/h5/login");
        let done = self.submit(&form.set("username", &student.number).set("password", student.password())).await;
        assert_eq!(done.status, 303, "{}", done.text());
        self.settle(done).await
    }

    /// Signs in with document number and name.
    pub async fn sign_in_by_id(&self, student: &Student) -> Page {
        let form = self.get("/h5/login?mode=id").await.form("/h5/login");
        let done = self.submit(&form.set("id_number", student.id_number.reveal()).set("name", &student.name)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        self.settle(done).await
    }

    fn address(&self, path: &str) -> String {
        if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Page {
        self.try_send(request, path).await.unwrap()
    }

    async fn try_send(&self, mut request: reqwest::RequestBuilder, path: &str) -> reqwest::Result<Page> {
        let named = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if !named("user-agent") {
            request = request.header(USER_AGENT, self.device.user_agent());
        }
        if !named("accept-language") {
            request = request.header(ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Page { path: path.to_owned(), status, headers, bytes: answer.bytes().await?.to_vec() })
    }
}
