//! What the office does with posters, and what whoever stands before one may learn.
use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::{FeeItem, FeeKind};
use crate::domain::ids::{FeeItemId, ProgrammeId};
use crate::domain::poster::{CODE, NewPoster, Poster, PosterKind, PosterNo, PosterProblem, PosterTally};
use crate::domain::voucher::VoucherCode;
use crate::flow::check_code::Facts;
use crate::flow::failure::Result;
use crate::store::error::StoreError;
use crate::store::{fees, posters, programmes};

/// Why no poster was made.
#[derive(Debug, thiserror::Error)]
pub enum NoPoster {
    #[error(transparent)]
    Unfit(#[from] PosterProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a poster. Its number and its code are given to no other one.
pub async fn issue(app: &App, new: &NewPoster) -> std::result::Result<Poster, NoPoster> {
    let now = app.clock.now();
    new.check(now)?;
    match new.kind {
        PosterKind::Platform => {}
        PosterKind::Item | PosterKind::Department => {
            let known = fees::find_items(app.db.read()).await?;
            let wanted = if new.kind == PosterKind::Item { std::slice::from_ref(&new.about) } else { &new.items };
            let billed = |item: &FeeItem| matches!(item.kind, FeeKind::Tuition | FeeKind::Other);
            if !wanted.iter().all(|code| known.iter().any(|item| item.code == *code && billed(item))) {
                return Err(PosterProblem::Item.into());
            }
        }
        PosterKind::Programme => {
            let known = programmes::list(app.db.read()).await?;
            if !known.iter().any(|one| one.code == new.about) {
                return Err(PosterProblem::Programme.into());
            }
        }
    }
    let no = PosterNo::compose(app.serials.next(&app.db, "poster", 1).await?);
    let id = posters::insert(app.db.write(), new, (&no, &app.chance.token(CODE)), now).await?;
    tracing::info!(poster = %no, kind = new.kind.code(), "a poster was made");
    let made = posters::find(app.db.write(), id).await?;
    Ok(made.ok_or_else(|| StoreError::from(sea_orm::DbErr::RecordNotInserted))?)
}

/// All posters, or the one of a number, with what came of each; the newest first.
pub async fn list(app: &App, no: Option<&PosterNo>) -> Result<Vec<(Poster, PosterTally)>> {
    Ok(posters::list(app.db.read(), no).await?)
}

pub async fn find(app: &App, no: &PosterNo) -> Result<Option<Poster>> {
    Ok(posters::find_by_no(app.db.read(), no).await?)
}

/// Ends a poster, at once and for good. False when there is none of the number, or it was revoked before.
pub async fn revoke(app: &App, no: &PosterNo) -> Result<bool> {
    let done = posters::revoke(app.db.write(), no, app.clock.now()).await?;
    if done {
        tracing::info!(poster = %no, "a poster was revoked");
    }
    Ok(done)
}

/// 验真码, over what of a poster never changes.
pub fn code(app: &App, poster: &Poster) -> VoucherCode {
    facts(poster).code(app)
}

pub fn is_proved(app: &App, poster: &Poster, code: &VoucherCode) -> bool {
    facts(poster).proved_by(app, code)
}

fn facts(poster: &Poster) -> Facts<'_> {
    let mut texts = vec![
        poster.poster_no.as_str(),
        poster.code.as_str(),
        poster.kind.code(),
        poster.about.as_str(),
        poster.title.zh.as_str(),
        poster.title.en.as_str(),
    ];
    texts.extend(poster.items.iter().map(String::as_str));
    Facts { of: "poster", texts, numbers: vec![poster.created_at.millis()] }
}

/// What a poster collects or leads to, as its paper and its page say it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    /// The fee items or the programme; empty: the platform, or what is not there any more
    pub names: Vec<Bilingual>,
    /// Who receives the money: payee codes, each once
    pub payees: Vec<String>,
    pub items: Vec<FeeItemId>,
    /// It collects 其他费用 and nothing else
    pub only_other: bool,
    pub programme: Option<ProgrammeId>,
}

pub async fn subject(app: &App, poster: &Poster) -> Result<Subject> {
    let known = fees::find_items(app.db.read()).await?;
    let mut subject = Subject::default();
    let mut takes = |item: &FeeItem| {
        subject.items.push(item.id);
        if !subject.payees.contains(&item.payee_code) {
            subject.payees.push(item.payee_code.clone());
        }
    };
    match poster.kind {
        PosterKind::Platform => {}
        PosterKind::Item | PosterKind::Department => {
            let own: Vec<&FeeItem> = known.iter().filter(|item| poster.collects().contains(&item.code)).collect();
            own.iter().for_each(|item| takes(item));
            subject.only_other = own.iter().all(|item| item.kind == FeeKind::Other);
            subject.names = own.into_iter().map(|item| item.name.clone()).collect();
        }
        PosterKind::Programme => {
            let all = programmes::list(app.db.read()).await?;
            if let Some(programme) = all.into_iter().find(|one| one.code == poster.about) {
                known.iter().filter(|item| item.id == programme.item).for_each(&mut takes);
                subject.names.push(programme.name);
                subject.programme = Some(programme.id);
            }
        }
    }
    Ok(subject)
}
