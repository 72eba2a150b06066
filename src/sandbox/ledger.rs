//! The outside world's memory: trades, codes and waiting notices in one file, so that a demo that is started again
//! meets the same banks. Faults, sign-in codes and the journal are forgotten.
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outbox::NoticeJob;
use super::trade::{Code, Trade};
use super::world::Sandbox;

/// How often the file is compared with the books, in real time.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
struct Ledger {
    trades: Vec<Trade>,
    codes: Vec<Code>,
    waiting: Vec<NoticeJob>,
}

impl Sandbox {
    /// The books as JSON text.
    pub fn ledger(&self) -> String {
        let bank = self.bank();
        let now = self.now();
        let mut codes: Vec<_> = bank.codes().filter(|code| code.valid_until > now).cloned().collect();
        codes.sort_by(|a, b| a.text.cmp(&b.text));
        let waiting = self.outbox().waiting().to_vec();
        let ledger = Ledger { trades: bank.trades().cloned().collect(), codes, waiting };
        serde_json::to_string(&ledger).expect("the ledger's types are plain data with text keys")
    }

    /// Takes over the books of an earlier life. Call it before anything is ordered.
    pub fn restore(&self, ledger: &str) -> Result<(), serde_json::Error> {
        let Ledger { trades, codes, waiting } = serde_json::from_str(ledger)?;
        self.bank().restore(trades, codes);
        let mut outbox = self.outbox();
        waiting.into_iter().for_each(|job| outbox.push(job));
        Ok(())
    }

    /// Reads the file if there is one. Errors: it cannot be read, or is no ledger.
    pub fn remember(&self, file: &Path) -> io::Result<()> {
        match std::fs::read_to_string(file) {
            Ok(ledger) => self.restore(&ledger).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file whenever the books have changed, for ever. A crash leaves the former file whole.
    pub async fn run_ledger(self: Arc<Self>, file: PathBuf) -> io::Result<()> {
        let draft = file.with_extension("draft");
        let mut written = String::new();
        loop {
            let ledger = self.ledger();
            if ledger != written {
                tokio::fs::write(&draft, &ledger).await?;
                tokio::fs::rename(&draft, &file).await?;
                written = ledger;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Chance, Clock};
    use crate::domain::trade::Channel;
    use crate::sandbox::faults::{Fault, Setting};
    use crate::sandbox::merchants::WECHAT_MCH_FISCAL;
    use crate::sandbox::server::stage::{NATIVE, REFUNDS, Stage};
    use crate::sandbox::world::Options;

    #[tokio::test]
    async fn a_second_life_knows_the_trades_refunds_codes_and_notices_of_the_first() {
        let stage = Stage::start().await;
        let code = stage.post(NATIVE, &stage.order("A00001")).await.json()["code_url"].as_str().unwrap().to_owned();
        stage.post(NATIVE, &stage.order("A00002")).await;
        stage.world.pay(Channel::Wechat, "A00002", "lin").unwrap();
        stage.world.set_fault(Setting::once(Fault::RefundProcessing));
        stage.post(REFUNDS, &stage.refund("A00002", "R1", 300_000)).await;

        let second = Sandbox::new(Options::default(), stage.world.clock.clone(), Chance::seeded(4));
        second.restore(&stage.world.ledger()).unwrap();
        assert_eq!(second.ledger(), stage.world.ledger());
        assert!(second.open(Channel::Wechat, &code, "lin").is_ok());
        assert_eq!(second.notices_waiting(), 1);
        stage.advance(60);
        assert_eq!(second.bank().sent_back(WECHAT_MCH_FISCAL), crate::domain::money::Fen::new(300_000));
        assert_eq!(second.deliver_due().await.len(), 2, "the payment's notice and the refund's");
    }

    #[tokio::test]
    async fn the_file_follows_the_books_and_a_missing_one_is_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bank.json");
        let stage = Stage::start().await;
        stage.world.remember(&file).unwrap();
        stage.post(NATIVE, &stage.order("A00001")).await;
        let writer = tokio::spawn(Arc::clone(&stage.world).run_ledger(file.clone()));
        for _ in 0..200 {
            if file.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        writer.abort();
        let second = Sandbox::new(Options::default(), Clock::manual(stage.world.now()), Chance::seeded(4));
        second.remember(&file).unwrap();
        assert!(second.bank().find(Channel::Wechat, "A00001").is_some());
        std::fs::write(&file, "not a ledger").unwrap();
        assert!(second.remember(&file).is_err());
    }
}
