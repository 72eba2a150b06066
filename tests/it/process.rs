//! The program itself, started and stopped as a newcomer and a service manager would.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Demo {
    child: Child,
    port: u16,
    sandbox: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Demo {
    /// Another test may take a free port first; then the program ends, and other ports are tried.
    fn start(folder: &Path) -> Demo {
        let tries = (0..10).find_map(|_| Demo::try_start(folder));
        tries.expect("ten times two free ports were taken")
    }

    fn try_start(folder: &Path) -> Option<Demo> {
        let (port, sandbox) = (free_port(), free_port());
        let child = Command::new(env!("CARGO_BIN_EXE_jiaofei"))
            .args(["demo", "--port", &port.to_string(), "--sandbox-port", &sandbox.to_string(), "--folder"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut demo = Demo { child, port, sandbox };
        let begun = Instant::now();
        loop {
            if demo.child.try_wait().unwrap().is_some() {
                return None;
            }
            if demo.get(port, "/healthz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Some(demo);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the demo does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn get(&self, port: u16, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }

    fn tell_to_stop(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for the end; gives whether it was a good one, and what was printed.
    fn ended(mut self) -> (bool, String) {
        let good = self.child.wait().unwrap().success();
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        (good, printed)
    }
}

#[test]
fn the_demo_names_three_people_carries_on_with_its_data_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let first = Demo::start(folder.path());
    let page = first.get(first.port, "/h5/login").unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("启明大学"));
    assert!(first.get(first.sandbox, "/").unwrap().starts_with("HTTP/1.1 200"), "the phone");
    first.tell_to_stop();
    let (good, printed) = first.ended();
    assert!(good, "{printed}");
    for word in ["202301180417", "周以宁", "T20110063", "/h5"] {
        assert!(printed.contains(word), "{word} is not in:\n{printed}");
    }
    assert_eq!(ask(folder.path(), "SELECT COUNT(*) FROM payer"), 305);
    ask(folder.path(), "UPDATE payer SET college = '夜校' WHERE number = '202301180417' RETURNING 1");
    let again = Demo::start(folder.path());
    again.tell_to_stop();
    assert!(again.ended().0);
    assert_eq!(ask(folder.path(), "SELECT COUNT(*) FROM payer WHERE college = '夜校'"), 1, "its data is still there");
}

/// One number out of the demo's database.
fn ask(folder: &Path, sql: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = sea_orm::Database::connect(format!("sqlite://{}/jiaofei.db", folder.display())).await.unwrap();
        let number = crate::world::database::number(&db, sql).await;
        db.close().await.unwrap();
        number
    })
}

#[test]
fn a_notice_in_flight_is_answered_before_the_process_ends() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let mut notice = TcpStream::connect(("127.0.0.1", demo.port)).unwrap();
    let head =
        "POST /notify/wechat/fiscal HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 20\r\n\r\n";
    notice.write_all(head.as_bytes()).unwrap();
    notice.write_all(b"0123456789").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    demo.tell_to_stop();
    std::thread::sleep(Duration::from_millis(500));
    notice.write_all(b"0123456789").unwrap();
    let mut answer = String::new();
    notice.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains(r#"{"code":"FAIL","message":"失败"}"#), "{answer}");
    assert!(demo.ended().0);
}
