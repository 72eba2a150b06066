//! 公告: read by everybody, written by the office.
use std::time::Duration;

use super::failure::Result;
use crate::app::App;
use crate::domain::announcement::Announcement;
use crate::domain::ids::AnnouncementId;
use crate::domain::session::{Rights, Session};
use crate::store::announcements;

/// Rows on a page of the list
pub const PAGE: usize = 20;

/// One page (from 1), newest first, and how many there are.
pub async fn list(app: &App, page: u32) -> Result<(Vec<Announcement>, u64)> {
    let (db, now) = (app.db.read(), app.clock.now());
    let offset = u64::from(page.max(1) - 1) * PAGE as u64;
    let found = announcements::list(db, now, (offset, PAGE as u64)).await?;
    Ok((found, announcements::count(db, now).await?))
}

/// How long one that was not opened counts as unread
const NEW: Duration = Duration::from_secs(90 * 86_400);

/// What the sign-in page tells: the newest few.
pub async fn newest(app: &App) -> Result<Vec<Announcement>> {
    Ok(announcements::list(app.db.read(), app.clock.now(), (0, 2)).await?)
}

/// What the first page tells after signing in.
pub async fn pinned(app: &App) -> Result<Option<Announcement>> {
    Ok(announcements::pinned(app.db.read(), app.clock.now()).await?)
}

/// Which of the last days' a payer has not opened. Who signed in with document number and name is told none.
pub async fn unread(app: &App, session: &Session) -> Result<Vec<AnnouncementId>> {
    if session.rights != Rights::Full {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    Ok(announcements::unread(app.db.read(), session.payer_id, (now - NEW, now)).await?)
}

/// A payer has opened one.
pub async fn note_read(app: &App, session: &Session, id: AnnouncementId) -> Result<()> {
    if session.rights == Rights::Full {
        announcements::note_read(app.db.write(), session.payer_id, id, app.clock.now()).await?;
    }
    Ok(())
}

pub async fn find(app: &App, id: AnnouncementId) -> Result<Option<Announcement>> {
    Ok(announcements::find(app.db.read(), id, app.clock.now()).await?)
}

/// The id of `new` is not read.
pub async fn publish(app: &App, new: &Announcement) -> Result<AnnouncementId> {
    let tx = app.db.begin().await?;
    let id = announcements::insert(&tx, new).await?;
    tx.commit().await?;
    Ok(id)
}

/// False when there is none, or it was withdrawn before.
pub async fn withdraw(app: &App, id: AnnouncementId) -> Result<bool> {
    let tx = app.db.begin().await?;
    let done = announcements::withdraw(&tx, id, app.clock.now()).await?;
    tx.commit().await?;
    Ok(done)
}
