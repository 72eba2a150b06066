//! The demo's posters: one of each kind, and one that was withdrawn.
use std::time::Duration;

use crate::app::App;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::poster::{NewPoster, PosterKind};
use crate::flow::poster::desk;

/// Makes them, once.
pub async fn make(app: &App) -> anyhow::Result<()> {
    let term = app.clock.now() + Duration::from_secs(120 * 86_400);
    let poster = |kind, about: &str, items: &[&str], (zh, en): (&str, &str)| NewPoster {
        kind,
        about: about.to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        title: Bilingual::new(zh, en),
        lang: Lang::Zh,
        expires_at: None,
    };
    let tuition = poster(PosterKind::Item, "11", &[], ("学费缴费", "Pay your tuition"));
    let course = poster(PosterKind::Programme, "CALL", &[], ("书法短期班报名", "Calligraphy course: enrol here"));
    let housing = poster(PosterKind::Department, "后勤处", &["12", "13"], ("住宿与医保缴费", "Housing and insurance"));
    let old = poster(PosterKind::Item, "21", &[], ("新生体检费", "Health check"));
    let posters = [
        poster(PosterKind::Platform, "", &[], ("校园统一支付平台", "Campus payment platform")),
        NewPoster { expires_at: Some(term), ..tuition },
        course,
        NewPoster { lang: Lang::En, ..housing },
    ];
    for poster in &posters {
        desk::issue(app, poster).await?;
    }
    let old = desk::issue(app, &old).await?;
    desk::revoke(app, &old.poster_no).await?;
    Ok(())
}
