//! 换密钥: changing the keys of personal fields while people sign in and pay.
//!
//! Every process notes which keys it seals with ([`take_up`], [`run_once`]); [`reseal`] seals everything with the first
//! key of the list, and takes a key off the notes when no row needs it and no process has sealed with it for a while. A
//! process whose list lacks a noted key does not start: it could not read what it keeps.
use std::collections::BTreeSet;
use std::time::Duration;

use super::failure::Result;
use crate::app::App;
use crate::store::keys;
use crate::store::reseal::{self, Kept, Place, Renewed};
use crate::store::seal::{Field, Purpose};

/// How often a process says that it still seals with its keys
const EVERY: Duration = Duration::from_secs(60);
/// A key nobody has sealed with for so long is sealed with no more
const QUIET: Duration = Duration::from_secs(180);
/// How often everything is gone through before what others hold is left for another run
const PASSES: usize = 10;
/// Sealed fields that do not open are named up to this many
const NAMED: usize = 20;

/// Notes the keys this process seals with, before it seals anything. Gives what is to be mended in the configuration
/// instead when a key is not listed that rows need.
pub async fn take_up(app: &App) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for purpose in Purpose::ALL {
        let listed = app.sealer.key_names(purpose);
        let mut noted: Vec<String> =
            keys::noted(app.db.read(), purpose).await?.into_iter().map(|key| key.name).collect();
        if noted.is_empty() {
            match first_used(app, purpose).await? {
                Ok(names) => {
                    for name in names {
                        keys::note(app.db.write(), purpose, &name, app.clock.now() - QUIET).await?;
                        noted.push(name);
                    }
                }
                Err(complaint) => complaints.push(complaint),
            }
        }
        let lacking: Vec<&String> = noted.iter().filter(|name| !listed.contains(&name.as_str())).collect();
        for name in lacking {
            let (key, listed) = (purpose.code(), listed.join(", "));
            complaints.push(format!(
                "secrets.{key}_key: rows need the key {name}, which is not listed (listed: {listed}). List it again \
                 behind the first one, and run `jiaofei reseal` before it goes"
            ));
        }
    }
    if complaints.is_empty() {
        keys::note_first(app.db.write(), &app.sealer, app.clock.now()).await?;
    }
    Ok(complaints)
}

/// The keys that were in use before keys were noted, found by trying one row of each kind; or why none fits.
async fn first_used(app: &App, purpose: Purpose) -> Result<std::result::Result<BTreeSet<String>, String>> {
    let mut names = BTreeSet::new();
    for field in Field::ALL {
        let place = Place::of(field);
        let Some(kept) = reseal::page(app.db.read(), place, 0, 1).await?.pop() else { continue };
        let found = match (purpose, app.sealer.open_with(field, &kept.sealed)) {
            (Purpose::Field, opened) => opened.map(|(_, name)| name),
            (Purpose::Index, Some((plain, _))) => match &kept.entered {
                None => continue,
                Some(entered) => {
                    let indexes = app.sealer.indexes(field, &plain).into_iter();
                    indexes.into_iter().find(|(index, _)| index == entered).map(|(_, name)| name)
                }
            },
            // the field key's own complaint says enough
            (Purpose::Index, None) => continue,
        };
        match found {
            Some(name) => names.extend([name.to_owned()]),
            None => {
                let (key, table, id) = (purpose.code(), place.table, kept.id);
                return Ok(Err(format!(
                    "secrets.{key}_key: not the key with which {table} {id} was written; the database needs its own"
                )));
            }
        }
    }
    Ok(Ok(names))
}

/// Says once a minute that this process seals with its keys. Gives 0: it is no work.
pub async fn run_once(app: &App) -> Result<usize> {
    for purpose in Purpose::ALL {
        let noted = keys::noted(app.db.read(), purpose).await?;
        let name = app.sealer.key_names(purpose).first().copied().unwrap_or_default();
        let fresh = noted.iter().any(|key| key.name == name && app.clock.now().since(key.used_at) < EVERY);
        if !fresh {
            keys::note(app.db.write(), purpose, name, app.clock.now()).await?;
        }
    }
    Ok(0)
}

/// What a [`reseal`] did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resealed {
    /// Sealed fields there are
    pub fields: u64,
    /// Fields sealed or entered anew
    pub renewed: u64,
    /// Fields that others held each time; another run takes them
    pub left: u64,
    /// Fields no listed key opens: table and row, up to twenty of them
    pub unopened: Vec<String>,
    pub unopened_count: u64,
    /// Keys that went off the notes: they may go from the configuration
    pub gone: Vec<(Purpose, String)>,
    /// Keys a process has sealed with in the last three minutes
    pub busy: Vec<(Purpose, String)>,
    /// Keys that are needed still, though no process seals with them
    pub needed: Vec<(Purpose, String)>,
}

impl Resealed {
    /// Whether every field is sealed and entered with the first keys, and no other key is noted.
    pub fn is_done(&self) -> bool {
        self.left == 0 && self.unopened_count == 0 && self.busy.is_empty() && self.needed.is_empty()
    }
}

/// Seals and enters every personal field with the first keys of the lists. May run while processes serve, and again
/// after it was broken off. `progress` is told how many fields of how many have been looked at.
pub async fn reseal(app: &App, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Resealed> {
    let mut told = Resealed::default();
    for field in Field::ALL {
        told.fields += reseal::count(app.db.read(), Place::of(field)).await?;
    }
    for pass in 0..PASSES {
        let mut stale = 0;
        (told.left, told.unopened_count) = (0, 0);
        told.unopened.clear();
        let mut seen = 0;
        for field in Field::ALL {
            let mut after = 0;
            loop {
                let page = reseal::page(app.db.read(), Place::of(field), after, reseal::PAGE).await?;
                let Some(last) = page.last() else { break };
                (after, seen) = (last.id, seen + page.len() as u64);
                stale += renew_page(app, field, page, &mut told).await?;
                if pass == 0 {
                    progress(seen, told.fields);
                }
            }
        }
        if stale == 0 {
            break;
        }
        if told.left > 0 {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    lay_down(app, &mut told).await?;
    Ok(told)
}

/// Renews what of a page is not of the first keys; gives how much that was, renewed or not.
async fn renew_page(app: &App, field: Field, page: Vec<Kept>, told: &mut Resealed) -> Result<u64> {
    let place = Place::of(field);
    let mut renewed = Vec::new();
    for kept in page {
        let Some(plain) = app.sealer.open(field, &kept.sealed) else {
            told.unopened_count += 1;
            if told.unopened.len() < NAMED {
                told.unopened.push(format!("{} {} {}", place.table, kept.id, place.column));
            }
            continue;
        };
        let entered = place.index.map(|_| app.sealer.index(field, &plain));
        let current = app.sealer.is_current(&kept.sealed);
        if current && entered == kept.entered {
            continue;
        }
        let sealed = if current { kept.sealed.clone() } else { app.sealer.seal(field, &plain) };
        renewed.push(Renewed { kept, sealed, entered });
    }
    let stale = renewed.len() as u64;
    let done = reseal::replace(&app.db, place, &renewed).await?;
    told.renewed += done;
    told.left += stale - done;
    Ok(stale)
}

/// Takes the other keys off the notes, if no row needs them and nobody has sealed with them for a while.
async fn lay_down(app: &App, told: &mut Resealed) -> Result<()> {
    let clean = told.left == 0 && told.unopened_count == 0;
    let before = app.clock.now() - QUIET;
    for purpose in Purpose::ALL {
        let first = app.sealer.key_names(purpose).first().copied().unwrap_or_default();
        for key in keys::noted(app.db.read(), purpose).await?.into_iter().filter(|key| key.name != first) {
            let gone = clean && keys::retire(app.db.write(), purpose, &key.name, before).await?;
            let list = match gone {
                true => &mut told.gone,
                false if key.used_at >= before => &mut told.busy,
                false => &mut told.needed,
            };
            list.push((purpose, key.name));
        }
    }
    Ok(())
}
