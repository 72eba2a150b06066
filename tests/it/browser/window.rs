//! A browser in somebody's hands: it waits as a person waits, reads what a person reads, and keeps what the console
//! says. A story that waits in vain ends with a picture of what stood there.
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::driver::{Driver, Element, Session, Trouble};
use crate::world::phone::Device;

/// How long anything may take that the page does by itself.
const PATIENCE: Duration = Duration::from_secs(20);
const BEAT: Duration = Duration::from_millis(50);

pub struct Window {
    session: Session,
    pub device: Device,
}

/// CSS pixels of the screen, and how many of its own make one.
const fn screen(device: Device) -> (u32, u32, u32) {
    match device {
        Device::Desktop | Device::WechatDesktop => (1280, 800, 1),
        _ => (375, 812, 2),
    }
}

impl Window {
    pub async fn open(driver: &Driver, device: Device) -> Window {
        let session = driver.open(&device.user_agent()).await;
        let window = Window { session, device };
        window.resize(screen(device).0, screen(device).1).await;
        window
    }

    /// Windows without a screen are 500 pixels wide at least; the metrics are not.
    pub async fn resize(&self, width: u32, height: u32) {
        let (.., scale) = screen(self.device);
        let mobile = scale > 1;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Light or dark, as the phone is set; nothing moves in either.
    pub async fn wear(&self, scheme: &str) {
        let features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")];
        let features = features.map(|(name, value)| json!({ "name": name, "value": value }));
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// From the next page on, pages run no script.
    pub async fn without_script(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    /// Runs this before the scripts of every page to come.
    pub async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Puts a cookie into the jar of this address.
    pub async fn set_cookie(&self, address: &str, name: &str, value: &str) {
        let done = self.devtools("Network.setCookie", json!({ "name": name, "value": value, "url": address })).await;
        assert_eq!(done["success"], true);
    }

    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.session.devtools(command, parameters).await.unwrap()
    }

    pub async fn goto(&self, address: &str) {
        self.session.goto(address).await.unwrap();
    }

    pub async fn back(&self) {
        self.session.back().await.unwrap();
    }

    pub async fn reload(&self) {
        self.session.reload().await.unwrap();
    }

    pub async fn address(&self) -> String {
        self.session.address().await.unwrap()
    }

    pub async fn title(&self) -> String {
        self.session.title().await.unwrap()
    }

    /// Waits until the address contains this.
    #[track_caller]
    pub fn arrive<'a>(&'a self, part: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(format!("an address with {part}"), async move || {
            Ok(self.session.address().await?.contains(part).then_some(()))
        })
    }

    /// Waits until a person can read this.
    #[track_caller]
    pub fn see<'a>(&'a self, words: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(format!("the words \"{words}\""), async move || Ok(self.read().await?.contains(words).then_some(())))
    }

    /// All a person can read now.
    pub async fn text(&self) -> String {
        self.read().await.unwrap()
    }

    async fn read(&self) -> Result<String, Trouble> {
        let text = self.session.script("return document.body ? document.body.innerText : ''", json!([])).await?;
        Ok(text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub async fn count(&self, css: &str) -> usize {
        self.session.find_all(css).await.unwrap().len()
    }

    /// What a person reads of the first element.
    #[track_caller]
    pub fn text_of<'a>(&'a self, css: &'a str) -> impl Future<Output = String> + 'a {
        self.until(css.to_owned(), async move || {
            let element = self.session.find(css).await?;
            self.session.text_of(&element).await.map(Some)
        })
    }

    /// Waits for the element and clicks it.
    #[track_caller]
    pub fn click<'a>(&'a self, css: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(css.to_owned(), async move || {
            let element = self.session.find(css).await?;
            self.touch(&element).await.map(Some)
        })
    }

    /// Presses the link, button, summary or label that says this.
    #[track_caller]
    pub fn press<'a>(&'a self, words: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(format!("something to press that says \"{words}\""), async move || {
            let kinds = "self::a or self::button or self::summary or self::label";
            let xpath = format!("//*[{kinds}][contains(normalize-space(.), '{words}')]");
            let element = self.session.find_path(&xpath).await?;
            self.touch(&element).await.map(Some)
        })
    }

    /// Waits until the body of a function returns an element, and clicks that.
    #[track_caller]
    pub fn click_what<'a>(&'a self, body: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(body.to_owned(), async move || {
            let found = self.session.script(body, json!([])).await?;
            let Some(element) = Session::returned(&found) else { return Ok(None) };
            self.session.click(&element).await.map(|_| Some(()))
        })
    }

    /// Goes on inside a frame of the page.
    #[track_caller]
    pub fn enter<'a>(&'a self, css: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(css.to_owned(), async move || {
            self.session.enter(None).await?;
            let frame = self.session.find(css).await?;
            self.session.enter(Some(&frame)).await.map(|_| Some(()))
        })
    }

    /// Goes on with the page itself.
    pub async fn leave(&self) {
        self.session.enter(None).await.unwrap();
    }

    /// As a person does: brings it to the middle, then taps it.
    async fn touch(&self, element: &Element) -> Result<(), Trouble> {
        let centre = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.session.script(centre, json!([Session::argument(element)])).await?;
        self.session.click(element).await.map(|_| ())
    }

    /// Empties a field and types into it.
    #[track_caller]
    pub fn fill<'a>(&'a self, css: &'a str, keys: &'a str) -> impl Future<Output = ()> + 'a {
        self.until(css.to_owned(), async move || {
            let element = self.session.find(css).await?;
            self.session.clear(&element).await?;
            self.session.type_into(&element, keys).await.map(|_| Some(()))
        })
    }

    /// What the body of a function returns.
    pub async fn script(&self, body: &str) -> Value {
        self.session.script(body, json!([])).await.unwrap()
    }

    /// Waits until the body of a function returns something that is true.
    #[track_caller]
    pub fn wait_for<'a>(&'a self, body: &'a str) -> impl Future<Output = Value> + 'a {
        self.until(body.to_owned(), async move || {
            let value = self.session.script(body, json!([])).await?;
            Ok((!matches!(value, Value::Null | Value::Bool(false))).then_some(value))
        })
    }

    /// What the console said since the last time that is worse than a remark. That a page itself is not a success is no
    /// complaint: the browser says so of every form that is shown again and of every error page.
    pub async fn complaints(&self) -> Vec<String> {
        let own = format!("{} - Failed to load resource", self.address().await);
        let typed_wrong = "the server responded with a status of 422";
        let lines = self.session.console().await.unwrap();
        let bad = |(level, _): &(String, String)| level == "SEVERE" || level == "WARNING";
        let lines = lines.into_iter().filter(bad).map(|(_, text)| text);
        lines.filter(|text| !text.contains(typed_wrong) && !text.starts_with(&own)).collect()
    }

    /// Of these widths, those at which the page is wider than the screen, with what sticks out; in letters of each of
    /// these sizes (per cent of the usual one).
    pub async fn overflows(&self, widths: &[u32], letters: &[u32]) -> Vec<String> {
        let mut found = Vec::new();
        let (width, height, _) = screen(self.device);
        for &width in widths {
            self.resize(width, height).await;
            let wide = self.session.script(STICKS_OUT, json!([width, letters])).await.unwrap();
            found.extend(wide.as_array().unwrap().iter().map(|what| format!("{width} px, {}", what.as_str().unwrap())));
        }
        self.resize(width, height).await;
        found
    }

    /// PNG of the screen.
    pub async fn picture(&self) -> Vec<u8> {
        decode(self.devtools("Page.captureScreenshot", json!({})).await["data"].as_str().unwrap())
    }

    /// PNG of the whole page, on a screen as long as that.
    pub async fn whole_picture(&self) -> Vec<u8> {
        let (width, height, _) = screen(self.device);
        let long = self.script("return document.documentElement.scrollHeight").await;
        self.resize(width, u32::try_from(long.as_u64().unwrap()).unwrap()).await;
        let picture = self.picture().await;
        self.resize(width, height).await;
        picture
    }

    /// Whether there is more below than the screen shows.
    pub async fn is_long(&self) -> bool {
        self.script("return document.documentElement.scrollHeight > innerHeight").await == true
    }

    /// Tries until there is something; an element not there yet, or gone with its page, is waited for.
    #[track_caller]
    fn until<'a, T>(
        &'a self,
        what: String,
        attempt: impl AsyncFn() -> Result<Option<T>, Trouble> + 'a,
    ) -> impl Future<Output = T> {
        let caller = std::panic::Location::caller();
        async move {
            let mut last = String::new();
            let beats = PATIENCE.as_millis() / BEAT.as_millis();
            for _ in 0..beats {
                match attempt().await {
                    Ok(Some(done)) => return done,
                    Ok(None) => {}
                    Err(trouble) => last = format!("{}: {}", trouble.code, trouble.message),
                }
                tokio::time::sleep(BEAT).await;
            }
            let path = artefacts().join(format!("waiting-in-vain-{}.png", caller.line()));
            std::fs::write(&path, self.picture().await).unwrap();
            let (address, text, console) = (self.address().await, self.text().await, self.complaints().await);
            let picture = path.display();
            panic!("{caller}: waited in vain for {what} at {address} ({picture})\n{last}\n{console:?}\n{text}");
        }
    }
}

/// For each size of letters the width of the page and the elements beyond the right edge, when the page is wider than
/// the screen. The screen's width is an argument: a phone shows more of a page that is too wide, and says so in
/// `innerWidth`.
const STICKS_OUT: &str = "
    const [screen, letters] = arguments, root = document.documentElement;
    const found = letters.flatMap(size => {
        root.style.fontSize = size === 100 ? '' : size + '%';
        const wide = root.scrollWidth;
        if (wide <= screen) return [];
        const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > screen + 1);
        return [size + ' %: ' + wide + ': ' + out.slice(0, 5).map(e => e.tagName + '.' + e.className).join(' ')];
    });
    root.style.fontSize = '';
    return found;";

/// The folder of the run's pictures.
pub fn artefacts() -> PathBuf {
    let folder = std::env::var_os("JIAOFEI_TEST_ARTEFACTS").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target").join("test-artefacts"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn decode(base64: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(base64).unwrap()
}
