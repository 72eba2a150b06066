//! 聚合码 as a picture: a QR code with the school's mark in its middle, still read when a quarter of it is lost.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::{self, FilterType as Scaling};
use image::{ExtendedColorType, ImageEncoder, Rgba, RgbaImage};
use qrcode::{EcLevel, QrCode};

/// Pixels per module.
const MODULE: u32 = 10;
/// Modules of white around the code (ISO/IEC 18004: four).
pub const QUIET: u32 = 4;
/// The mark's side, in hundredths of the code's: 22 % of the side is 5 % of the area, and level H recovers 30 %.
pub const MARK_PERCENT: u32 = 22;

/// The school's mark, or the platform's own where the school has given none.
pub struct Mark(RgbaImage);

impl Mark {
    /// Reads a PNG.
    pub fn read(png: &[u8]) -> Result<Mark, image::ImageError> {
        Ok(Mark(image::load_from_memory_with_format(png, image::ImageFormat::Png)?.into_rgba8()))
    }
}

impl Default for Mark {
    /// A white ¥ on a green tile.
    fn default() -> Mark {
        const SIDE: u32 = 120;
        let tile = Rgba([0x0b, 0x7d, 0x5b, 0xff]);
        let ink = Rgba([0xff, 0xff, 0xff, 0xff]);
        Mark(RgbaImage::from_fn(SIDE, SIDE, |x, y| if is_yen(x as f32, y as f32) { ink } else { tile }))
    }
}

/// A patch of one colour of a drawn mark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Patch {
    /// `#0b7d5b`
    pub fill: String,
    pub path: String,
}

impl Mark {
    /// As patches for a drawing, in a square of [`DRAWN`] units. A drawing may then be enlarged, and needs nothing that
    /// reads pictures. Each patch reaches a little under the next ones, so that no seam shows between them.
    pub fn patches(&self) -> Vec<Patch> {
        let picture = imageops::resize(&self.0, DRAWN, DRAWN, Scaling::Triangle);
        let mut patches = Vec::new();
        for (y, row) in picture.rows().enumerate() {
            let row: Vec<[u8; 4]> = row.map(|pixel| pixel.0).collect();
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                if let Some([red, green, blue, alpha @ 9..=255]) = run.first().copied() {
                    let on_white = |part: u8| 255 - u16::from(alpha) * u16::from(255 - part) / 255;
                    let fill = format!("#{:02x}{:02x}{:02x}", on_white(red), on_white(green), on_white(blue));
                    let path = format!("M{x} {y}h{0}v2h-{0}z", run.len() + 1);
                    patches.push(Patch { fill, path });
                }
                x += run.len();
            }
        }
        patches
    }
}

/// Units across a mark's patches: at the size it has on paper, 200 dots an inch
pub const DRAWN: u32 = 160;

/// Whether a point of the 120 × 120 tile belongs to the sign: two arms, a stem, two bars.
fn is_yen(x: f32, y: f32) -> bool {
    let off_centre = (x - 60.0).abs();
    let arm = (24.0..=60.0).contains(&y) && (off_centre - (60.0 - y) * 0.72).abs() <= 7.5;
    let stem = (56.0..=98.0).contains(&y) && off_centre <= 6.0;
    let bar = |top: f32| (top..=top + 8.0).contains(&y) && off_centre <= 26.0;
    arm || stem || bar(62.0) || bar(78.0)
}

/// Draws `text` (up to about 100 bytes) as a PNG, black on white, quiet zone included. None when it is too long for a
/// code.
pub fn png(text: &str, mark: &Mark) -> Option<Vec<u8>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::H).ok()?;
    let modules = u32::try_from(code.width()).ok()?;
    let side = (modules + 2 * QUIET) * MODULE;
    let colors = code.to_colors();
    let mut picture = RgbaImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at / MODULE).checked_sub(QUIET).filter(|at| *at < modules);
        let dark = match (module(x), module(y)) {
            (Some(x), Some(y)) => colors[(y * modules + x) as usize] == qrcode::Color::Dark,
            _ => false,
        };
        if dark { Rgba([0, 0, 0, 0xff]) } else { Rgba([0xff, 0xff, 0xff, 0xff]) }
    });
    lay_mark(&mut picture, mark, modules * MODULE * MARK_PERCENT / 100);
    let rgb = image::DynamicImage::ImageRgba8(picture).into_rgb8().into_raw();
    let mut out = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Best, FilterType::NoFilter);
    encoder.write_image(&rgb, side, side, ExtendedColorType::Rgb8).ok()?;
    Some(out)
}

/// Draws `text` one pixel a module, quiet zone included, as a `data:` address: it stands in a page and is scaled there.
/// None when it is too long for a code.
pub fn small(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let modules = u32::try_from(code.width()).ok()?;
    let side = modules + 2 * QUIET;
    let mut picture = vec![0xff; (side * side) as usize];
    for (at, color) in (0..).zip(code.to_colors()) {
        if color == qrcode::Color::Dark {
            picture[((at / modules + QUIET) * side + at % modules + QUIET) as usize] = 0;
        }
    }
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
    encoder.write_image(&picture, side, side, ExtendedColorType::L8).ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

/// The dark modules of a code as the path of a drawing, a unit a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Modules {
    /// Quiet zone included
    pub side: u32,
    pub path: String,
}

/// None when the text is too long for a code.
pub fn modules(text: &str) -> Option<Modules> {
    modules_of(text, EcLevel::M)
}

/// As [`modules`], still read when its middle is covered by a mark of [`MARK_PERCENT`], or a corner is torn off.
pub fn strong_modules(text: &str) -> Option<Modules> {
    modules_of(text, EcLevel::H)
}

fn modules_of(text: &str, level: EcLevel) -> Option<Modules> {
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&qrcode::Color::Dark) {
                let (left, top, run) = (x + QUIET as usize, y + QUIET as usize, run.len());
                path += &format!("M{left} {top}h{run}v1h-{run}z");
            }
            x += run.len();
        }
    }
    Some(Modules { side: u32::try_from(width).ok()? + 2 * QUIET, path })
}

/// Lays the mark on a white tile in the middle.
fn lay_mark(picture: &mut RgbaImage, mark: &Mark, side: u32) {
    let margin = MODULE / 2;
    let tile = RgbaImage::from_pixel(side, side, Rgba([0xff, 0xff, 0xff, 0xff]));
    let small = imageops::resize(&mark.0, side - 2 * margin, side - 2 * margin, Scaling::Triangle);
    let corner = i64::from((picture.width() - side) / 2);
    imageops::overlay(picture, &tile, corner, corner);
    imageops::overlay(picture, &small, corner + i64::from(margin), corner + i64::from(margin));
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://pay.example.edu.cn/q/7Kq2mX9dPw4RtYbn3HcVzE";

    fn read(picture: image::GrayImage) -> Option<String> {
        let mut image = rqrr::PreparedImage::prepare(picture);
        let grids = image.detect_grids();
        grids.first().and_then(|grid| grid.decode().ok()).map(|(_, text)| text)
    }

    #[test]
    fn the_code_is_read_back_with_the_mark_in_it_at_full_and_at_screen_size() {
        let png = png(URL, &Mark::default()).unwrap();
        let picture = image::load_from_memory(&png).unwrap().into_luma8();
        assert!(picture.width() >= 240);
        for side in [picture.width(), 240, 180] {
            let scaled = imageops::resize(&picture, side, side, Scaling::Triangle);
            assert_eq!(read(scaled).as_deref(), Some(URL), "{side} px");
        }
    }

    #[test]
    fn a_schools_own_mark_of_any_shape_leaves_the_code_readable() {
        let mark = Mark(RgbaImage::from_pixel(30, 300, Rgba([0, 0, 0, 0xff])));
        let png = png(URL, &mark).unwrap();
        assert_eq!(read(image::load_from_memory(&png).unwrap().into_luma8()).as_deref(), Some(URL));
    }

    #[test]
    fn the_small_code_is_read_back_when_it_is_scaled() {
        let address = small(URL).unwrap();
        let png = STANDARD.decode(address.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        assert!(png.len() < 700, "{} bytes", png.len());
        let picture = image::load_from_memory(&png).unwrap().into_luma8();
        let scaled = imageops::resize(&picture, picture.width() * 4, picture.height() * 4, Scaling::Nearest);
        assert_eq!(read(scaled).as_deref(), Some(URL));
        assert!(small(&"x".repeat(4_000)).is_none());
    }

    #[test]
    fn a_text_too_long_for_a_code_gives_none() {
        assert!(png(&"x".repeat(4_000), &Mark::default()).is_none());
    }
}
