//! Pictures of pages, and what must be true of every page a browser shows: nothing sticks out at the usual widths, the
//! console does not complain, no word is left unfilled, the language is the chosen one.
use super::stage::Stage;
use super::window::{Window, artefacts};
use crate::world::phone::Device;
use crate::world::school::Student;

/// CSS pixels: the smallest phone still in use, the usual one, the largest
const WIDTHS: [u32; 3] = [320, 375, 414];
const LANGS: [&str; 2] = ["zh", "en"];

/// One browser's walk through the pages in one language.
pub struct Gallery {
    pub stage: Stage,
    pub window: Window,
    pub student: Student,
    lang: &'static str,
    faults: Vec<String>,
}

/// Walks once in each language, each time in a new world with a new student.
pub async fn in_both_languages(device: Device, walk: impl AsyncFn(&mut Gallery)) {
    for lang in LANGS {
        let Some(stage) = super::stage::set().await else { return };
        let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
        let window = stage.open(device).await;
        let mut gallery = Gallery { stage, window, student, lang, faults: Vec::new() };
        let window = gallery.another(device).await;
        gallery.window = window;
        walk(&mut gallery).await;
        assert!(gallery.faults.is_empty(), "{}", gallery.faults.join("\n"));
    }
}

impl Gallery {
    /// Another browser of the same language.
    pub async fn another(&self, device: Device) -> Window {
        let window = self.stage.open(device).await;
        window.set_cookie(&self.stage.world.url, "lang", self.lang).await;
        window.wear("light").await;
        window
    }

    /// The one of two texts that is in this language.
    pub fn says<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        if self.lang == "zh" { zh } else { en }
    }

    pub async fn goto(&self, path: &str) {
        self.window.goto(&format!("{}{path}", self.stage.world.url)).await;
    }

    /// Looks at the page as it stands and keeps its picture.
    pub async fn hang(&mut self, name: &str) {
        self.look(name).await;
        self.keep(name, "").await;
    }

    /// The same in dark and in large print, too.
    pub async fn hang_in_every_light(&mut self, name: &str) {
        self.hang(name).await;
        self.window.wear("dark").await;
        self.keep(name, "-dark").await;
        self.window.script("document.documentElement.dataset.care = ''").await;
        self.keep(name, "-dark-large").await;
        self.window.wear("light").await;
        self.look(&format!("{name} in large print")).await;
        self.keep(name, "-large").await;
        self.window.script("delete document.documentElement.dataset.care").await;
    }

    async fn look(&mut self, name: &str) {
        let Gallery { window, lang, faults, .. } = self;
        let mut fault = |what: String| faults.push(format!("{name} in {lang}: {what}"));
        for wide in window.overflows(&WIDTHS, &[100]).await {
            fault(format!("sticks out at {wide}"));
        }
        for complaint in window.complaints().await {
            fault(complaint);
        }
        let (text, said) = (window.text().await, window.script("return document.documentElement.lang").await);
        if text.contains(['{', '}']) {
            fault(format!("a word was not filled in: {text}"));
        }
        if !said.as_str().is_some_and(|said| said.starts_with(*lang)) {
            fault(format!("it says that it is in {said}"));
        }
        if window.title().await.trim().is_empty() {
            fault("it has no title".to_owned());
        }
    }

    async fn keep(&self, name: &str, light: &str) {
        let folder = artefacts().join("browser");
        std::fs::create_dir_all(&folder).unwrap();
        let name = format!("{name}-{}{light}", self.lang);
        std::fs::write(folder.join(format!("{name}.png")), self.window.picture().await).unwrap();
        if light.is_empty() && self.window.is_long().await {
            std::fs::write(folder.join(format!("{name}-whole.png")), self.window.whole_picture().await).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_page_is_noticed() {
    let Some(stage) = super::stage::set().await else { return };
    let window = stage.open(Device::Mobile).await;
    window.goto(&format!("{}/h5/login", stage.world.url)).await;
    assert_eq!((window.complaints().await, window.overflows(&WIDTHS, &[100]).await), (vec![], vec![]));
    window.script("document.querySelector('main').innerHTML = '<p style=\"color:red\">'.repeat(2)").await;
    assert_eq!(window.complaints().await.len(), 2, "the policy allows no such style");
    window.script("document.querySelector('main').innerHTML = '<pre>' + 'x'.repeat(60) + '</pre>'").await;
    assert_eq!(window.overflows(&WIDTHS, &[100]).await.len(), WIDTHS.len(), "sixty letters fit nowhere");
}
