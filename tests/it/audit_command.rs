//! `jiaofei audit` as the operator runs it: what it prints, and how it ends.
use std::process::Command;

use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;

struct Desk {
    world: TestApp,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Desk {
        let world = TestApp::start().await;
        world.school.student(&world.app, 1, "林知夏").await;
        Desk { world, folder: tempfile::tempdir().unwrap() }
    }

    /// Runs the program with this journal key; gives whether it was satisfied, and what it said.
    fn run(&self, journal_key: &str, args: &[&str]) -> (bool, String) {
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://pay.example.edu.cn\"\n\
             [database]\nurl = \"{}\"\nmax_connections = 2\n\
             [school]\nname = \"启明大学\"\ncode = \"QMU\"\ninitial_password = \"id_last6\"\n\
             [secrets]\nsession_key = \"{one}\"\nfield_key = \"{one}\"\nindex_key = \"{one}\"\n\
             journal_key = \"{journal_key}\"\n[[payee]]\ncode = \"fiscal\"\nname = \"某省财政厅\"\nfund = \"fiscal\"\n",
            self.world.app.config.database.url,
            one = "11".repeat(32),
        );
        let path = self.folder.path().join("jiaofei.toml");
        std::fs::write(&path, config).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_jiaofei"));
        let output = program.arg("audit").args(args).arg("--config").arg(path).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(!told.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.status.success(), told)
    }

    /// The key the world was made with.
    fn own_key(&self) -> String {
        self.world.app.config.secrets.journal_key.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    async fn alter(&self) {
        let sql = "UPDATE charge_entry SET amount_fen = 799999 WHERE amount_fen = 800000";
        self.world.app.db.write().execute_unprepared(sql).await.unwrap();
    }
}

#[tokio::test]
async fn a_clean_book_ends_well_and_an_altered_one_is_told_and_ends_badly() {
    let desk = Desk::open().await;
    let key = desk.own_key();
    let (clean, told) = desk.run(&key, &[]);
    assert!(clean && told.lines().all(|line| line.starts_with("ok  ")), "{told}");
    let (clean, told) = desk.run(&key, &["--chain"]);
    assert!(clean && told.starts_with("ok    3 charges with 3 entries; not as written: 0\n"), "{told}");
    assert!(told.contains("the last is tally 1, until 2026-09-01T09:50:00+08:00, "), "{told}");
    desk.alter().await;
    let (clean, told) = desk.run(&key, &[]);
    assert!(!clean && told.contains("charge 1: stands at 800000, should be 799999\n"), "{told}");
    let (clean, told) = desk.run(&key, &["--chain"]);
    let line = "charge 1, entry 1 (assessed test), or what stands before it: not what was written\n";
    assert!(!clean && told.contains(line), "{told}");
}

#[tokio::test]
async fn programs_read_the_same_as_one_object() {
    let desk = Desk::open().await;
    desk.alter().await;
    let (_, told) = desk.run(&desk.own_key(), &["--json"]);
    let object: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(object["clean"], false);
    let row = serde_json::json!({ "subject": "charge 1", "stands": 800_000, "should_be": 799_999 });
    assert_eq!(object["checks"][0]["differences"], serde_json::json!([row]));
    let (_, told) = desk.run(&desk.own_key(), &["--chain", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&object["clean"], &object["charges"], &object["torn_count"]), (&false.into(), &3.into(), &1.into()));
    assert_eq!((&object["torn"][0]["charge"], &object["torn"][0]["what"]), (&1.into(), &"entry".into()));
    assert_eq!(object["last_tally"]["no"], 1);
}

#[tokio::test]
async fn a_wrong_key_is_called_a_wrong_key() {
    let desk = Desk::open().await;
    let (clean, told) = desk.run(&"77".repeat(32), &["--chain"]);
    let own = desk.world.app.chain.key_names()[0].to_owned();
    let line = format!("DIFF  4 of them sealed with the journal key {own}, which is not configured (configured: ");
    assert!(!clean && told.starts_with(&line), "{told}");
    assert!(told.contains("is secrets.journal_key another one"), "{told}");
}
