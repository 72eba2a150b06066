//! Papers people save: an SVG of ours becomes a PNG (to long-press in WeChat) or a PDF (to print). Both come from the
//! same drawing, with the letters of a font that stands in the program; nothing of the machine's is used.
//!
//! Drawing takes a core for some time, so it happens off the async threads and one at a time.
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use svg2pdf::{ConversionOptions, PageOptions};
use tokio::sync::Semaphore;

use super::error::Problem;

/// A part of Noto Sans CJK SC Regular; `assets/voucher/README.md` says which.
static FONT: &[u8] = include_bytes!("../../assets/voucher/voucher.otf");
pub const FAMILY: &str = "Noto Sans CJK SC";
/// Stands for a character the font has not.
pub const UNKNOWN: char = '□';
/// Pixels per point: as wide as the screens of phones, which have 1,080
const SCALE: f32 = 2.5;
/// How long a drawing waits for its turn
const PATIENCE: Duration = Duration::from_secs(8);

static DRAWING: Semaphore = Semaphore::const_new(1);

static FACE: LazyLock<ttf_parser::Face<'static>> =
    LazyLock::new(|| ttf_parser::Face::parse(FONT, 0).expect("a test reads the embedded font"));

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
    Arc::new(fonts)
});

/// What a drawing becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Png,
    Pdf,
}

impl Kind {
    pub const fn content_type(self) -> &'static str {
        match self {
            Kind::Png => "image/png",
            Kind::Pdf => "application/pdf",
        }
    }

    pub const fn ending(self) -> &'static str {
        match self {
            Kind::Png => "png",
            Kind::Pdf => "pdf",
        }
    }
}

/// Text as it can be drawn: without control characters, [`UNKNOWN`] for what the font has not.
pub fn drawable(text: &str) -> String {
    let known = |c: char| if FACE.glyph_index(c).is_some() { c } else { UNKNOWN };
    text.chars().filter(|c| !c.is_control()).map(known).collect()
}

/// How wide a text is, in the unit of `size`.
pub fn width(text: &str, size: f32) -> f32 {
    let advance = |c| FACE.glyph_index(c).and_then(|glyph| FACE.glyph_hor_advance(glyph));
    let units: f32 = text.chars().map(|c| f32::from(advance(c).unwrap_or(1000))).sum();
    units / f32::from(FACE.units_per_em()) * size
}

/// Breaks a text into lines no wider than `room`, between words where there are any.
pub fn wrapped(text: &str, size: f32, room: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text.chars() {
        line.push(c);
        if width(&line, size) <= room || line.chars().count() == 1 {
            continue;
        }
        let over = line.pop();
        let words =
            line.rfind(' ').filter(|at| over.is_some_and(|c| c.is_ascii_alphanumeric()) && *at > line.len() / 2);
        let rest = words.map_or_else(String::new, |at| line.split_off(at));
        lines.push(std::mem::take(&mut line).trim_end().to_owned());
        line.push_str(rest.trim_start());
        line.extend(over.filter(|c| *c != ' '));
    }
    lines.push(line);
    lines
}

/// Draws an SVG, when its turn has come.
pub async fn draw(svg: String, kind: Kind) -> Result<Vec<u8>, Problem> {
    let turn = tokio::time::timeout(PATIENCE, DRAWING.acquire()).await;
    let Ok(Ok(turn)) = turn else { return Err(Problem::Unavailable("papers are being drawn".to_owned())) };
    let drawn = tokio::task::spawn_blocking(move || {
        // the turn is over when the drawing is, whether or not anybody still waits for it
        let _turn = turn;
        drawing(&svg, kind)
    });
    drawn.await.ok().flatten().ok_or_else(|| Problem::Internal("a paper could not be drawn".to_owned()))
}

fn drawing(svg: &str, kind: Kind) -> Option<Vec<u8>> {
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: FAMILY.to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).ok()?;
    match kind {
        Kind::Pdf => svg2pdf::to_pdf(&tree, ConversionOptions::default(), PageOptions::default()).ok(),
        Kind::Png => {
            let size = tree.size().to_int_size().scale_by(SCALE)?;
            let mut picture = Pixmap::new(size.width(), size.height())?;
            picture.fill(Color::WHITE);
            resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
            png(&picture)
        }
    }
}

/// Without the transparency nothing of it has, which would be a third of its size.
fn png(picture: &Pixmap) -> Option<Vec<u8>> {
    let rgb: Vec<u8> = picture.data().chunks_exact(4).flat_map(|pixel| pixel[..3].iter().copied()).collect();
    let mut out = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Up);
    encoder.write_image(&rgb, picture.width(), picture.height(), ExtendedColorType::Rgb8).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_standard_table_is_in_the_font_and_what_is_not_becomes_a_box() {
        assert_eq!(drawable("林知夏 Lin ¥9,099.95 堃喆㛃𬭎"), "林知夏 Lin ¥9,099.95 堃喆㛃𬭎");
        assert_eq!(drawable("龘\u{7}𠮷"), "□□");
        let bytes = all_of_gb2312();
        let (text, _, _) = encoding_rs::GBK.decode(&bytes);
        assert_eq!(drawable(&text), text, "GB2312, both levels");
    }

    fn all_of_gb2312() -> Vec<u8> {
        let rows = (0xb0..=0xf7u8).flat_map(|high| (0xa1..=0xfeu8).map(move |low| [high, low]));
        rows.filter(|[high, low]| !(*high == 0xd7 && *low >= 0xfa)).flatten().collect()
    }

    #[test]
    fn lines_are_broken_between_words_and_never_too_wide() {
        assert_eq!(wrapped("启明大学财务处", 10.0, 45.0), ["启明大学", "财务处"]);
        let lines = wrapped("Qiming University Finance Office", 10.0, 100.0);
        assert_eq!(lines, ["Qiming University", "Finance Office"]);
        for (text, room) in [("人民币玖仟零玖拾玖元玖角伍分", 50.0), ("XF260901QMU000128XF260901QMU000128", 80.0)]
        {
            let lines = wrapped(text, 10.0, room);
            assert!(lines.iter().all(|line| width(line, 10.0) <= room), "{lines:?}");
            assert_eq!(lines.concat(), text);
        }
        assert_eq!(wrapped("", 10.0, 50.0), [""]);
        assert_eq!(wrapped("大", 10.0, 1.0), ["大"], "a room too small for anything still ends");
    }

    #[test]
    fn what_is_no_drawing_is_refused_and_not_a_panic() {
        for text in ["", "<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><text>", "<html></html>"] {
            assert!(drawing(text, Kind::Png).is_none(), "{text}");
        }
    }
}
