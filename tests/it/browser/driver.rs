//! chromedriver as a child process, and the words it understands (W3C WebDriver, and DevTools commands through
//! `goog/cdp/execute`). What a page means is not known here.
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The key under which WebDriver hands out an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One chromedriver on a port it chose itself; its browsers end with it.
pub struct Driver {
    process: Child,
    /// Kept open: a process whose output nobody can take would stop
    _output: BufReader<ChildStdout>,
    url: String,
    http: Client,
    profiles: TempDir,
    /// Process ids of the browsers
    browsers: Mutex<Vec<u64>>,
}

/// What WebDriver says instead of an answer: `no such element`, `stale element reference`, …
#[derive(Clone, Debug)]
pub struct Trouble {
    pub code: String,
    pub message: String,
}

/// One browser: a profile of its own, so cookies of its own.
#[derive(Clone)]
pub struct Session {
    url: String,
    http: Client,
}

/// An element of the page a session shows; stale as soon as the page goes.
#[derive(Clone, Debug)]
pub struct Element(String);

impl Driver {
    pub fn start() -> Driver {
        let (process, output, port) = launch();
        let http = Client::builder().no_proxy().build().unwrap();
        let (url, profiles) = (format!("http://127.0.0.1:{port}"), tempfile::tempdir().unwrap());
        Driver { process, _output: output, url, http, profiles, browsers: Mutex::default() }
    }

    /// Opens a browser without a window, in Chinese, that has never been anywhere.
    pub async fn open(&self, user_agent: &str) -> Session {
        let number = self.browsers.lock().unwrap().len().to_string();
        let profile = self.profiles.path().join(number);
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            // a browser whose pipe breaks ends: none outlives its driver
            "--remote-debugging-pipe",
            &format!("--user-agent={user_agent}"),
            &format!("--user-data-dir={}", profile.display()),
        ];
        let chrome = json!({ "args": arguments, "prefs": { "intl.accept_languages": "zh-CN,zh" } });
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": chrome,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let body = json!({ "capabilities": { "alwaysMatch": wanted } });
        let opened = send(&self.http, Method::POST, &format!("{}/session", self.url), Some(body)).await.unwrap();
        self.browsers.lock().unwrap().push(opened["capabilities"]["goog:processID"].as_u64().unwrap());
        let id = opened["sessionId"].as_str().unwrap();
        Session { url: format!("{}/session/{id}", self.url), http: self.http.clone() }
    }
}

/// It takes any port that is free, and gives up where that port is free for IPv6 only: then once more.
fn launch() -> (Child, BufReader<ChildStdout>, u16) {
    let mut said = String::new();
    for _ in 0..20 {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        said.clear();
        while output.read_line(&mut said).unwrap() > 0 {
            let last = said.lines().last().unwrap_or_default();
            if let Some(port) = last.strip_prefix("ChromeDriver was started successfully on port ") {
                return (process, output, port.trim_end_matches('.').parse().unwrap());
            }
        }
        process.wait().unwrap();
    }
    panic!("chromedriver does not start: {said}")
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // its browsers end by themselves now, and write into their profiles to the last
        let ended = |id: &u64| std::fs::read(format!("/proc/{id}/cmdline")).map_or(true, |words| words.is_empty());
        for _ in 0..250 {
            let all_ended = self.browsers.lock().is_ok_and(|browsers| browsers.iter().all(ended));
            if all_ended && std::fs::remove_dir_all(self.profiles.path()).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Session {
    pub async fn goto(&self, address: &str) -> Result<Value, Trouble> {
        self.post("/url", json!({ "url": address })).await
    }

    pub async fn address(&self) -> Result<String, Trouble> {
        Ok(text(&self.get("/url").await?))
    }

    pub async fn title(&self) -> Result<String, Trouble> {
        Ok(text(&self.get("/title").await?))
    }

    pub async fn back(&self) -> Result<Value, Trouble> {
        self.post("/back", json!({})).await
    }

    pub async fn reload(&self) -> Result<Value, Trouble> {
        self.post("/refresh", json!({})).await
    }

    /// The first element of a CSS selector.
    pub async fn find(&self, css: &str) -> Result<Element, Trouble> {
        self.post("/element", json!({ "using": "css selector", "value": css })).await.map(|found| element(&found))
    }

    /// The first element of an XPath.
    pub async fn find_path(&self, xpath: &str) -> Result<Element, Trouble> {
        self.post("/element", json!({ "using": "xpath", "value": xpath })).await.map(|found| element(&found))
    }

    pub async fn find_all(&self, css: &str) -> Result<Vec<Element>, Trouble> {
        let found = self.post("/elements", json!({ "using": "css selector", "value": css })).await?;
        Ok(found.as_array().unwrap().iter().map(element).collect())
    }

    /// Clicks and, where the click leads to another page, waits for it.
    pub async fn click(&self, element: &Element) -> Result<Value, Trouble> {
        self.post(&format!("/element/{}/click", element.0), json!({})).await
    }

    pub async fn clear(&self, element: &Element) -> Result<Value, Trouble> {
        self.post(&format!("/element/{}/clear", element.0), json!({})).await
    }

    pub async fn type_into(&self, element: &Element, keys: &str) -> Result<Value, Trouble> {
        self.post(&format!("/element/{}/value", element.0), json!({ "text": keys })).await
    }

    /// What a person reads of it.
    pub async fn text_of(&self, element: &Element) -> Result<String, Trouble> {
        Ok(text(&self.get(&format!("/element/{}/text", element.0)).await?))
    }

    /// Runs the body of a function; its arguments stand in `arguments`.
    pub async fn script(&self, body: &str, arguments: Value) -> Result<Value, Trouble> {
        self.post("/execute/sync", json!({ "script": body, "args": arguments })).await
    }

    /// Goes on inside a frame of the page, or with the page itself.
    pub async fn enter(&self, frame: Option<&Element>) -> Result<Value, Trouble> {
        let frame = frame.map_or(Value::Null, Session::argument);
        self.post("/frame", json!({ "id": frame })).await
    }

    /// The element as an argument of a script.
    pub fn argument(element: &Element) -> Value {
        json!({ ELEMENT: element.0 })
    }

    /// The element a script has returned.
    pub fn returned(value: &Value) -> Option<Element> {
        value.get(ELEMENT).map(|_| element(value))
    }

    /// A DevTools command.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, Trouble> {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// What the console said since the last time: level and text of each line.
    pub async fn console(&self) -> Result<Vec<(String, String)>, Trouble> {
        let lines = self.post("/se/log", json!({ "type": "browser" })).await?;
        let line = |line: &Value| (text(&line["level"]), text(&line["message"]));
        Ok(lines.as_array().unwrap().iter().map(line).collect())
    }

    async fn get(&self, path: &str) -> Result<Value, Trouble> {
        send(&self.http, Method::GET, &format!("{}{path}", self.url), None).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, Trouble> {
        send(&self.http, Method::POST, &format!("{}{path}", self.url), Some(body)).await
    }
}

async fn send(http: &Client, method: Method, url: &str, body: Option<Value>) -> Result<Value, Trouble> {
    let mut request = http.request(method, url);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let ok = answer.status().is_success();
    let mut body: Value = answer.json().await.unwrap();
    let value = body["value"].take();
    if ok { Ok(value) } else { Err(Trouble { code: text(&value["error"]), message: text(&value["message"]) }) }
}

fn element(found: &Value) -> Element {
    Element(text(&found[ELEMENT]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
