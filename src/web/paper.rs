//! Papers people save and print: an SVG of ours becomes a PNG (to long-press in WeChat, or in the dots of a printer), a
//! PDF, or an SVG that needs no letters. All come from the same drawing, with the letters of fonts that stand in the
//! program; nothing of the machine's is used. However large the paper is, a strip of it is in memory at a time.
//!
//! Drawing takes a core for some time, so it happens off the async threads and one at a time.
use std::io::Write;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, WriteOptions, fontdb};
use svg2pdf::{ConversionOptions, PageOptions};
use tokio::sync::Semaphore;

use super::error::Problem;

/// Parts of Noto Sans CJK SC; `assets/voucher/README.md` says which.
static REGULAR: &[u8] = include_bytes!("../../assets/voucher/voucher.otf");
static BOLD: &[u8] = include_bytes!("../../assets/voucher/bold.otf");
pub const FAMILY: &str = "Noto Sans CJK SC";
/// Stands for a character the font has not.
pub const UNKNOWN: char = '□';
/// Pixels per point: as wide as the screens of phones, which have 1,080
const SCREEN: f32 = 2.5;
/// Dots an inch of a printed picture
pub const DPI: u32 = 300;
/// Points an inch
const POINTS: f32 = 72.0;
/// Rows of pixels drawn at a time: 7 MB of the widest paper
const STRIP: u32 = 512;
/// How long a drawing waits for its turn
const PATIENCE: Duration = Duration::from_secs(8);

static DRAWING: Semaphore = Semaphore::const_new(1);

static FACES: LazyLock<[ttf_parser::Face<'static>; 2]> = LazyLock::new(|| {
    [REGULAR, BOLD].map(|font| ttf_parser::Face::parse(font, 0).expect("a test reads the embedded fonts"))
});

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [REGULAR, BOLD] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    Arc::new(fonts)
});

/// How strong letters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    Regular,
    /// For titles. Only common characters have it; the others are drawn as [`Weight::Regular`].
    Bold,
}

impl Weight {
    pub const fn number(self) -> u16 {
        match self {
            Weight::Regular => 400,
            Weight::Bold => 700,
        }
    }

    fn face(self) -> &'static ttf_parser::Face<'static> {
        let [regular, bold] = &*FACES;
        match self {
            Weight::Regular => regular,
            Weight::Bold => bold,
        }
    }
}

/// What a drawing becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// For screens
    Png,
    /// A PNG of [`DPI`] dots an inch
    Print,
    Pdf,
    /// Letters as outlines
    Svg,
}

impl Kind {
    pub const fn content_type(self) -> &'static str {
        match self {
            Kind::Png | Kind::Print => "image/png",
            Kind::Pdf => "application/pdf",
            Kind::Svg => "image/svg+xml",
        }
    }

    pub const fn ending(self) -> &'static str {
        match self {
            Kind::Png | Kind::Print => "png",
            Kind::Pdf => "pdf",
            Kind::Svg => "svg",
        }
    }
}

/// Text as it can be drawn: without control characters, [`UNKNOWN`] for what the font has not.
pub fn drawable(text: &str) -> String {
    let known = |c: char| if Weight::Regular.face().glyph_index(c).is_some() { c } else { UNKNOWN };
    text.chars().filter(|c| !c.is_control()).map(known).collect()
}

/// How wide a text is, in the unit of `size`.
pub fn width(text: &str, (size, weight): (f32, Weight)) -> f32 {
    let of = |face: &ttf_parser::Face<'_>, c| face.glyph_index(c).and_then(|glyph| face.glyph_hor_advance(glyph));
    let advance = |c| of(weight.face(), c).or_else(|| of(Weight::Regular.face(), c)).unwrap_or(1000);
    // both fonts have 1,000 units to the em
    let units: f32 = text.chars().map(|c| f32::from(advance(c))).sum();
    units / f32::from(weight.face().units_per_em()) * size
}

/// Breaks a text into lines no wider than `room`, between words where there are any.
pub fn wrapped(text: &str, size: f32, room: f32) -> Vec<String> {
    wrapped_in(text, (size, Weight::Regular), room)
}

/// As [`wrapped`], for letters of any strength.
pub fn wrapped_in(text: &str, letters: (f32, Weight), room: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text.chars() {
        line.push(c);
        if width(&line, letters) <= room || line.chars().count() == 1 {
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
        Kind::Svg => Some(outlined(&tree)),
        Kind::Png => png(&tree, SCREEN, None),
        Kind::Print => png(&tree, DPI as f32 / POINTS, Some(DPI)),
    }
}

/// Says its size in millimetres, so that it is printed as large as it was drawn.
fn outlined(tree: &Tree) -> Vec<u8> {
    let text = tree.to_string(&WriteOptions { coordinates_precision: 3, ..WriteOptions::default() });
    let (width, height) = (tree.size().width(), tree.size().height());
    let body = text.split_once('>').map_or("", |(_, body)| body);
    let millimetres = |points: f32| (points * 25.4 / POINTS).round();
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {width} {height}\">",
        millimetres(width),
        millimetres(height),
    );
    (head + body).into_bytes()
}

/// Strip by strip, without the transparency nothing of it has, which would be a third of its size.
fn png(tree: &Tree, scale: f32, dpi: Option<u32>) -> Option<Vec<u8>> {
    let pixels = |points: f32| (points * scale).round() as u32;
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_filter(png::Filter::Up);
    encoder.set_pixel_dims(dpi.map(|dpi| {
        let per_metre = (dpi as f32 / 0.0254).round() as u32;
        png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }
    }));
    let mut file = encoder.write_header().ok()?;
    let mut writer = file.stream_writer().ok()?;
    for top in (0..height).step_by(STRIP as usize) {
        let mut strip = Pixmap::new(width, STRIP.min(height - top))?;
        strip.fill(Color::WHITE);
        let place = Transform::from_scale(scale, scale).post_translate(0.0, -(top as f32));
        resvg::render(tree, place, &mut strip.as_mut());
        let rgb: Vec<u8> = strip.data().chunks_exact(4).flat_map(|pixel| pixel[..3].iter().copied()).collect();
        writer.write_all(&rgb).ok()?;
    }
    writer.finish().ok()?;
    file.finish().ok()?;
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
            assert!(lines.iter().all(|line| width(line, (10.0, Weight::Regular)) <= room), "{lines:?}");
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
