//! Printing a 海报: what stands on it, from the books and the configuration, as a picture or a document.
use askama::Template;

use super::code::{self, Mark};
use super::error::Problem;
use super::paper::{self, Kind};
use super::view::links;
use super::view::poster::{self as view, PosterPaper, Size};
use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::poster::Poster;
use crate::flow::poster::desk;

/// Draws a poster, when its turn has come.
pub async fn poster(app: &App, poster: &Poster, size: Size, kind: Kind) -> Result<Vec<u8>, Problem> {
    let paper = paper_of(app, poster, size).await?;
    let svg = paper.render().map_err(|error| Problem::Internal(error.to_string()))?;
    paper::draw(svg, kind).await
}

/// The address its code says.
pub fn address(app: &App, poster: &Poster) -> String {
    format!("{}{}", app.config.server.public_url, links::poster(&poster.code, poster.lang))
}

async fn paper_of(app: &App, poster: &Poster, size: Size) -> Result<PosterPaper, Problem> {
    let (config, public_url) = (&app.config, &app.config.server.public_url);
    let subject = desk::subject(app, poster).await?;
    let payee = match subject.payees.as_slice() {
        [one] => config.payee(one).map(|payee| payee.bilingual_name()),
        // several, or none yet: the page says whose each amount is
        _ => None,
    };
    let too_long = || Problem::Internal("the address of a poster is too long for a code".to_owned());
    // `serve` has looked at the picture before it started
    let mark = config.school.mark.as_ref().and_then(|mark| Mark::read(mark.bytes()).ok());
    let school: Bilingual = config.school.bilingual_name();
    let shown = view::Poster {
        kind: poster.kind,
        lang: poster.lang,
        school: &school,
        title: &poster.title,
        payee: payee.as_ref(),
        poster_no: poster.poster_no.as_str(),
        check: &desk::code(app, poster).grouped(),
        check_at: &format!("{public_url}{}", links::VERIFY),
        host: public_url.split_once("://").map_or(public_url.as_str(), |(_, host)| host),
        ends: poster.expires_at,
        phone: &config.school.phone,
        code: code::strong_modules(&address(app, poster)).ok_or_else(too_long)?,
        mark: mark.map(|mark| mark.patches()),
    };
    Ok(PosterPaper::of(&shown, size))
}
