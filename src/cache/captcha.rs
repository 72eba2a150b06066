//! A question a person can answer: four digits in a picture, or the same thing asked as a sum in words.
//!
//! It stands in the way of guessing only after failures. It is no proof of a person and never the only guard. Answers
//! are kept in the cache: one try each, within five minutes.
use std::io::Cursor;
use std::time::Duration;

use image::{ImageFormat, Rgb, RgbImage};

use super::keep::Cache;
use crate::clock::Chance;

/// Pixels
const WIDTH: u32 = 120;
const HEIGHT: u32 = 44;
const LIFE: Duration = Duration::from_secs(5 * 60);
const DIGITS: usize = 4;
const ID_LETTERS: usize = 22;

/// The picture and the sum ask for different answers; either is accepted.
#[derive(Clone, Debug)]
pub struct Challenge {
    pub id: String,
    /// PNG, 120 × 44 pixels
    pub image_png: Vec<u8>,
    /// 「二十七加五等于几」
    pub question_zh: String,
    /// "twenty-seven plus five"
    pub question_en: String,
}

/// Draws a new challenge and keeps its answers.
pub async fn challenge(cache: &Cache, chance: &Chance) -> Challenge {
    let digits: [u8; DIGITS] = std::array::from_fn(|_| small(chance, 10));
    // two digits and one: few guesses hit, and it is still done in the head
    let (first, second) = (11 + small(chance, 29), 2 + small(chance, 8));
    let id = chance.token(ID_LETTERS);
    let code: String = digits.iter().map(u8::to_string).collect();
    cache.put(&key(&id), &format!("{code}|{}", first + second), LIFE).await;
    Challenge {
        id,
        image_png: draw(&digits, chance),
        question_zh: format!("{}加{}等于几", in_chinese(first), in_chinese(second)),
        question_en: format!("{} plus {}", in_english(first), in_english(second)),
    }
}

/// True when the answer fits; the challenge is used up either way. Full-width digits and spaces are forgiven.
pub async fn check(cache: &Cache, id: &str, answer: &str) -> bool {
    if id.len() != ID_LETTERS || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let Some(kept) = cache.take(&key(id)).await else { return false };
    let answer: String = answer.chars().filter(|c| !c.is_whitespace()).take(8).map(half_width).collect();
    kept.split('|').any(|right| right == answer)
}

fn key(id: &str) -> String {
    format!("captcha:{id}")
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        _ => c,
    }
}

fn small(chance: &Chance, below: u8) -> u8 {
    u8::try_from(chance.below(u64::from(below))).unwrap_or(0)
}

/// 1 to 39
fn in_chinese(number: u8) -> String {
    const ONES: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let ones = ONES[usize::from(number % 10)];
    match number / 10 {
        0 => ones.to_owned(),
        1 => format!("十{ones}"),
        tens => format!("{}十{ones}", ONES[usize::from(tens % 10)]),
    }
}

/// 1 to 39
fn in_english(number: u8) -> String {
    const BELOW_TWENTY: [&str; 20] = [
        "",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    let ones = BELOW_TWENTY[usize::from(number % 10)];
    match (number / 10, number % 10) {
        (0 | 1, _) => BELOW_TWENTY[usize::from(number)].to_owned(),
        (2, 0) => "twenty".to_owned(),
        (_, 0) => "thirty".to_owned(),
        (2, _) => format!("twenty-{ones}"),
        (_, _) => format!("thirty-{ones}"),
    }
}

type Point = (f32, f32);

/// The strokes of each digit in a box 10 wide and 16 high.
const STROKES: [&[&[Point]]; 10] = [
    &[&[
        (5., 0.),
        (8., 1.5),
        (10., 5.),
        (10., 11.),
        (8., 14.5),
        (5., 16.),
        (2., 14.5),
        (0., 11.),
        (0., 5.),
        (2., 1.5),
        (5., 0.),
    ]],
    &[&[(1.5, 3.5), (5.5, 0.), (5.5, 16.)], &[(2., 16.), (9., 16.)]],
    &[&[(0.5, 4.), (2., 1.), (5., 0.), (8., 1.), (9.5, 4.), (8.5, 7.), (0.5, 16.), (10., 16.)]],
    &[
        &[(0.5, 2.5), (3., 0.3), (6., 0.), (9., 2.), (9., 5.5), (6.5, 7.6), (4., 7.6)],
        &[(6.5, 7.6), (9.6, 10.), (9.6, 13.), (7., 15.6), (3.5, 16.), (0.3, 13.5)],
    ],
    &[&[(7.5, 16.), (7.5, 0.), (0., 11.), (10., 11.)]],
    &[&[(9., 0.), (2., 0.), (1., 7.), (5., 6.), (8.5, 7.5), (10., 11.), (8.5, 14.5), (5., 16.), (0.5, 14.5)]],
    &[&[
        (8.5, 1.5),
        (6., 0.),
        (3., 1.5),
        (0.5, 6.),
        (0.5, 11.),
        (2., 14.7),
        (5., 16.),
        (8., 14.7),
        (9.7, 11.5),
        (8., 8.2),
        (5., 7.),
        (2., 8.5),
        (0.5, 11.),
    ]],
    &[&[(0., 0.), (10., 0.), (4., 16.)]],
    &[
        &[(5., 7.5), (1.8, 6.), (1., 3.5), (2.5, 0.8), (5., 0.), (7.5, 0.8), (9., 3.5), (8.2, 6.), (5., 7.5)],
        &[(5., 7.5), (1.2, 9.5), (0., 12.), (1.5, 15.), (5., 16.), (8.5, 15.), (10., 12.), (8.8, 9.5), (5., 7.5)],
    ],
    &[&[
        (1.5, 14.5),
        (4., 16.),
        (7., 14.5),
        (9.5, 10.),
        (9.5, 5.),
        (8., 1.3),
        (5., 0.),
        (2., 1.3),
        (0.3, 4.5),
        (2., 7.8),
        (5., 9.),
        (8., 7.5),
        (9.5, 5.),
    ]],
];

struct Line {
    from: Point,
    to: Point,
    /// Half the width of the stroke, pixels
    radius: f32,
    ink: [f32; 3],
}

fn draw(digits: &[u8], chance: &Chance) -> Vec<u8> {
    let mut lines = Vec::new();
    for (at, digit) in (0_u8..).zip(digits) {
        lines.extend(write_digit(*digit, 17. + 28.5 * f32::from(at), chance));
    }
    for _ in 0..3 {
        let ink = ink(chance, 110., 180.);
        let from = (between(chance, -5., 20.), between(chance, 4., 40.));
        let to = (between(chance, 100., 125.), between(chance, 4., 40.));
        lines.push(Line { from, to, radius: 0.7, ink });
    }
    for _ in 0..40 {
        let spot = (between(chance, 0., 120.), between(chance, 0., 44.));
        lines.push(Line { from: spot, to: spot, radius: between(chance, 0.5, 1.1), ink: ink(chance, 90., 200.) });
    }
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| pixel(x, y, &lines));
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).expect("a picture of fixed size is written to memory");
    png.into_inner()
}

/// One digit, moved, leant, turned and stretched at random about its place.
fn write_digit(digit: u8, middle: f32, chance: &Chance) -> Vec<Line> {
    let turn = between(chance, -0.28, 0.28);
    let lean = between(chance, -0.2, 0.2);
    let (wide, high) = (between(chance, 1.4, 1.8), between(chance, 1.5, 1.85));
    let place = (middle + between(chance, -3., 3.), 22. + between(chance, -3.5, 3.5));
    let radius = between(chance, 1.2, 1.7);
    let ink = ink(chance, 10., 105.);
    let mut lines = Vec::new();
    for stroke in STROKES[usize::from(digit % 10)] {
        let mut set = |&(x, y): &Point| {
            let (x, y) = (x - 5. + between(chance, -0.3, 0.3), y - 8. + between(chance, -0.3, 0.3));
            let (x, y) = ((x - y * lean) * wide, y * high);
            (place.0 + x * turn.cos() - y * turn.sin(), place.1 + x * turn.sin() + y * turn.cos())
        };
        let points: Vec<Point> = stroke.iter().map(&mut set).collect();
        lines.extend(points.windows(2).map(|pair| Line { from: pair[0], to: pair[1], radius, ink }));
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "coordinates below 120 are exact in f32")]
fn pixel(x: u32, y: u32, lines: &[Line]) -> Rgb<u8> {
    let at = (x as f32 + 0.5, y as f32 + 0.5);
    let mut colour = [245_f32, 246., 248.];
    for line in lines {
        let cover = (line.radius + 0.5 - distance(at, line.from, line.to)).clamp(0., 1.);
        for (part, ink) in colour.iter_mut().zip(line.ink) {
            *part += (ink - *part) * cover;
        }
    }
    Rgb(colour.map(to_byte))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn to_byte(part: f32) -> u8 {
    part.clamp(0., 255.) as u8
}

/// From a point to a line of finite length.
fn distance((x, y): Point, (x1, y1): Point, (x2, y2): Point) -> f32 {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let length2 = dx * dx + dy * dy;
    let along = if length2 > 0. { (((x - x1) * dx + (y - y1) * dy) / length2).clamp(0., 1.) } else { 0. };
    (x - x1 - along * dx).hypot(y - y1 - along * dy)
}

fn between(chance: &Chance, low: f32, high: f32) -> f32 {
    let step = u16::from_be_bytes(chance.bytes());
    low + (high - low) * f32::from(step) / f32::from(u16::MAX)
}

fn ink(chance: &Chance, low: f32, high: f32) -> [f32; 3] {
    std::array::from_fn(|_| between(chance, low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::moment::Moment;

    fn cache() -> (Cache, Clock) {
        let clock = Clock::manual(Moment::from_unix(0));
        (Cache::memory(clock.clone()), clock)
    }

    async fn answers(cache: &Cache, challenge: &Challenge) -> (String, String) {
        let kept = cache.get(&key(&challenge.id)).await.unwrap();
        let (code, sum) = kept.split_once('|').unwrap();
        (code.to_owned(), sum.to_owned())
    }

    #[tokio::test]
    async fn the_digits_of_the_picture_and_the_sum_in_words_are_both_right() {
        let (cache, _) = cache();
        for seed in 0..20 {
            let chance = Chance::seeded(seed);
            let first = challenge(&cache, &chance).await;
            let (code, _) = answers(&cache, &first).await;
            assert_eq!(code.len(), 4);
            assert!(check(&cache, &first.id, &code).await);
            let second = challenge(&cache, &chance).await;
            let (_, sum) = answers(&cache, &second).await;
            assert!(check(&cache, &second.id, &sum).await);
        }
    }

    #[tokio::test]
    async fn a_challenge_has_one_try_right_or_wrong() {
        let (cache, _) = cache();
        let asked = challenge(&cache, &Chance::seeded(1)).await;
        let (code, _) = answers(&cache, &asked).await;
        assert!(!check(&cache, &asked.id, "no").await);
        assert!(!check(&cache, &asked.id, &code).await);
        let asked = challenge(&cache, &Chance::seeded(2)).await;
        let (code, _) = answers(&cache, &asked).await;
        assert!(check(&cache, &asked.id, &code).await);
        assert!(!check(&cache, &asked.id, &code).await);
    }

    #[tokio::test]
    async fn full_width_digits_and_spaces_are_forgiven_and_nothing_else_is() {
        let (cache, _) = cache();
        let wide =
            |code: &str| code.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect::<String>();
        let asked = challenge(&cache, &Chance::seeded(3)).await;
        let (code, _) = answers(&cache, &asked).await;
        assert!(check(&cache, &asked.id, &format!("　{} ", wide(&code))).await);
        for wrong in ["", "|", "0", "99999999999999999999"] {
            let asked = challenge(&cache, &Chance::seeded(4)).await;
            assert!(!check(&cache, &asked.id, wrong).await, "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_challenge_ends_after_five_minutes() {
        let (cache, clock) = cache();
        let asked = challenge(&cache, &Chance::seeded(5)).await;
        let (code, _) = answers(&cache, &asked).await;
        clock.advance(LIFE);
        assert!(!check(&cache, &asked.id, &code).await);
    }

    #[tokio::test]
    async fn an_id_that_was_never_given_reads_nothing_of_the_cache() {
        let (cache, _) = cache();
        let id = "x".repeat(ID_LETTERS);
        cache.put("captcha:short", "1234|5", LIFE).await;
        assert!(!check(&cache, "short", "1234").await);
        assert!(!check(&cache, &id, "").await);
        assert!(!check(&cache, &"长".repeat(40), "1").await);
        assert!(cache.get("captcha:short").await.is_some());
    }

    #[tokio::test]
    async fn the_picture_is_a_png_of_its_size_and_two_pictures_of_one_code_differ() {
        let one = draw(&[1, 2, 3, 4], &Chance::seeded(6));
        let other = draw(&[1, 2, 3, 4], &Chance::seeded(7));
        let picture = image::load_from_memory(&one).unwrap();
        assert_eq!((picture.width(), picture.height()), (120, 44));
        assert_ne!(one, other);
        assert!(one.len() < 12_000, "{} bytes", one.len());
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!([7, 10, 12, 20, 39].map(in_chinese), ["七", "十", "十二", "二十", "三十九"]);
        assert_eq!([7, 10, 12, 20, 39].map(in_english), ["seven", "ten", "twelve", "twenty", "thirty-nine"]);
    }

    #[test]
    fn every_digit_stays_inside_the_picture() {
        for digit in 0..10 {
            for seed in 0..30 {
                for middle in [17., 17. + 28.5 * 3.] {
                    for line in write_digit(digit, middle, &Chance::seeded(seed)) {
                        let (x, y) = line.to;
                        assert!((-2. ..122.).contains(&x) && (-1. ..45.).contains(&y), "{digit} at {x}, {y}");
                    }
                }
            }
        }
    }
}
