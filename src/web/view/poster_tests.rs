//! Posters as they are printed: read back, measured, and their words kept apart.
use askama::Template;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};

use super::drawing::{Anchor, Run};
use super::poster::{CARD_TOP, CODE, HEIGHT, Poster, PosterPaper, Size, WIDTH};
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::moment::Moment;
use crate::domain::poster::PosterKind;
use crate::web::code::{self, Mark};
use crate::web::paper::{self, DPI, Kind, UNKNOWN, width};

const URL: &str = "https://pay.example.edu.cn/q/Kq2mX9dPw4Tz";

fn paper_of(kind: PosterKind, lang: Lang, (zh, en): (&str, &str), size: Size) -> PosterPaper {
    let named = kind != PosterKind::Platform;
    let payee = Bilingual::new("启明大学财务处", "Qiming University");
    let poster = Poster {
        kind,
        lang,
        school: &Bilingual::new("启明大学", "Qiming University"),
        title: &Bilingual::new(zh, en),
        payee: named.then_some(&payee),
        poster_no: "HB000012",
        check: "7KQ2-M9XD-PW4T",
        check_at: "https://pay.example.edu.cn/verify",
        host: "pay.example.edu.cn",
        ends: named.then_some(Moment::from_unix(1_798_732_799)),
        phone: "0931-555 0100",
        code: code::strong_modules(URL).unwrap(),
        mark: None,
    };
    PosterPaper::of(&poster, size)
}

fn tuition(lang: Lang, size: Size) -> PosterPaper {
    paper_of(PosterKind::Item, lang, ("2026 级新生学费", "Tuition of new students, 2026"), size)
}

async fn drawn(paper: &PosterPaper, kind: Kind, name: &str) -> Vec<u8> {
    let bytes = paper::draw(paper.render().unwrap(), kind).await.unwrap();
    if let Some(folder) = std::env::var_os("JIAOFEI_TEST_ARTEFACTS") {
        let folder = std::path::Path::new(&folder).join("posters");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.{}", kind.ending())), &bytes).unwrap();
    }
    bytes
}

fn read(picture: GrayImage) -> Option<String> {
    let mut image = rqrr::PreparedImage::prepare(picture);
    let grids = image.detect_grids();
    grids.iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
}

/// Turned around its middle, white where nothing was.
fn turned(picture: &GrayImage, degrees: f32) -> GrayImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (w, h) = (picture.width() as f32 / 2.0, picture.height() as f32 / 2.0);
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (x, y) = (x as f32 - w, y as f32 - h);
        let (x, y) = (x * cos + y * sin + w, y * cos - x * sin + h);
        let inside = x >= 0.0 && y >= 0.0 && x < picture.width() as f32 && y < picture.height() as f32;
        if inside { *picture.get_pixel(x as u32, y as u32) } else { Luma([0xff]) }
    })
}

#[tokio::test]
async fn the_code_is_read_back_in_print_size_at_a_quarter_of_it_tilted_and_out_of_focus() {
    let png = drawn(&tuition(Lang::Zh, Size::A4), Kind::Print, "item-zh-a4").await;
    let whole = image::load_from_memory(&png).unwrap().into_luma8();
    assert_eq!(read(whole.clone()).as_deref(), Some(URL), "in print size");
    let quarter = imageops::resize(&whole, whole.width() / 4, whole.height() / 4, FilterType::Triangle);
    assert_eq!(read(quarter.clone()).as_deref(), Some(URL), "at a quarter");
    for degrees in [-7.0, -3.0, 3.0, 7.0] {
        assert_eq!(read(turned(&quarter, degrees)).as_deref(), Some(URL), "tilted by {degrees}");
    }
    assert_eq!(read(imageops::blur(&quarter, 1.5)).as_deref(), Some(URL), "out of focus");
    assert_eq!(read(imageops::blur(&turned(&quarter, 4.0), 1.2)).as_deref(), Some(URL), "and tilted");
}

#[tokio::test]
async fn a_schools_own_mark_stands_in_the_code_and_leaves_it_readable() {
    let crest = image::RgbaImage::from_fn(400, 400, |x, y| {
        let off = (x as f32 - 200.0).hypot(y as f32 - 200.0);
        image::Rgba([0xa0, (x / 2) as u8, (y / 2) as u8, if off < 195.0 { 0xff } else { 0 }])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    crest.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let mut paper = tuition(Lang::En, Size::A5);
    paper.mark = Some(Mark::read(png.get_ref()).unwrap().patches());
    let png = drawn(&paper, Kind::Png, "item-en-mark").await;
    let picture = image::load_from_memory(&png).unwrap();
    assert_eq!(read(picture.to_luma8()).as_deref(), Some(URL));
    let middle = picture.to_rgb8();
    let (x, y) =
        (middle.width() / 2, (f64::from(middle.height()) * f64::from((CARD_TOP + 2.0 + CODE / 2.0) / HEIGHT)) as u32);
    assert!(middle.get_pixel(x, y)[0].abs_diff(0xa0) < 0x10, "the mark is in the middle");
}

#[tokio::test]
async fn each_size_has_its_dots_and_says_how_large_it_is() {
    for (size, wide, high) in [(Size::A5, 1748, 2480), (Size::A4, 2480, 3508), (Size::A3, 3508, 4961)] {
        let png = drawn(&tuition(Lang::Zh, size), Kind::Print, &format!("size-{}", size.code())).await;
        let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        assert_eq!(reader.info().size(), (wide, high), "{size:?}");
        let dots = reader.info().pixel_dims.unwrap();
        assert_eq!((dots.xppu, dots.unit), (11_811, png::Unit::Meter), "{DPI} an inch");
        assert!(png.len() < 2_000_000, "{} bytes", png.len());
    }
}

#[tokio::test]
async fn a_document_is_as_large_as_its_paper_and_a_drawing_needs_no_letters() {
    let pdf = drawn(&tuition(Lang::Zh, Size::A3), Kind::Pdf, "item-zh-a3").await;
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.starts_with("%PDF-1.") && text.contains("/MediaBox [0 0 841.89 1190.55]"), "{}", &text[..300]);
    assert!(pdf.len() < 300_000, "{} bytes", pdf.len());
    let svg = drawn(&tuition(Lang::Zh, Size::A4), Kind::Svg, "item-zh-a4").await;
    let svg = String::from_utf8(svg).unwrap();
    assert!(svg.contains("width=\"210mm\" height=\"297mm\""), "{}", &svg[..200]);
    assert!(!svg.contains("<text") && !svg.contains("<image") && svg.ends_with("</svg>\n"));
}

/// Left and right end of a piece of text.
fn ends(run: &Run) -> (f32, f32) {
    let wide = width(&run.text, (run.size, run.weight));
    let left = match run.anchor {
        Anchor::Start => run.x,
        Anchor::Middle => run.x - wide / 2.0,
        Anchor::End => run.x - wide,
    };
    (left, left + wide)
}

#[tokio::test]
async fn whatever_the_words_are_they_stay_on_the_paper_and_off_each_other() {
    let titles = [
        ("缴费", ""),
        ("2026 级新生学费", "Tuition of new students, 2026"),
        (
            "二〇二六年秋季学期全日制本科生研究生学费住宿费统一收缴入口",
            "Tuition and housing of all undergraduate and graduate students, 2026/27",
        ),
    ];
    for kind in PosterKind::ALL {
        for lang in [Lang::Zh, Lang::En] {
            for (at, title) in titles.into_iter().enumerate() {
                let paper = paper_of(*kind, lang, title, Size::A4);
                for run in &paper.runs {
                    let (left, right) = ends(run);
                    assert!(left >= 24.0 && right <= WIDTH - 24.0, "{kind:?} {lang:?} {left} {right} {}", run.text);
                    assert!(!run.text.contains(UNKNOWN), "{}", run.text);
                    for other in paper.runs.iter().filter(|other| (other.y - run.y).abs() < 0.5 && other.x != run.x) {
                        let (from, to) = ends(other);
                        assert!(from >= right - 0.1 || to <= left + 0.1, "{} / {}", run.text, other.text);
                    }
                }
                if at == 2 || *kind == PosterKind::Platform {
                    let name = format!("{}-{}-{at}", kind.code(), lang.tag());
                    drawn(&paper, Kind::Png, &name).await;
                }
            }
        }
    }
}
