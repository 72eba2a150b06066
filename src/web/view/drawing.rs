//! What the drawings of papers are made of: text on lines, in the letters and inks they all share.
use crate::domain::bilingual::{Bilingual, Lang};
use crate::web::paper::{Weight, drawable};
use crate::web::words::word;

/// A piece of text on one line.
#[derive(Debug)]
pub struct Run {
    pub x: f32,
    /// Of the base line
    pub y: f32,
    pub size: f32,
    pub ink: Ink,
    pub anchor: Anchor,
    pub weight: Weight,
    pub text: String,
}

impl Run {
    /// Text as it can be drawn, in regular letters: where it stands, and how large in which ink.
    pub fn new((x, y, anchor): (f32, f32, Anchor), (size, ink): (f32, Ink), text: &str) -> Run {
        Run { x, y, size, ink, anchor, weight: Weight::Regular, text: drawable(text) }
    }

    pub fn bold(self) -> Run {
        Run { weight: Weight::Bold, ..self }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Ink {
    Black,
    Grey,
    Red,
    /// On a dark ground
    White,
    /// On a dark ground, second to white
    Pale,
    Green,
    Amber,
}

impl Ink {
    pub fn fill(self) -> &'static str {
        match self {
            Ink::Black => "#15201c",
            Ink::Grey => "#56625d",
            Ink::Red => "#c0341d",
            Ink::White => "#fff",
            Ink::Pale => "#d5ede4",
            Ink::Green => "#0b7d5b",
            Ink::Amber => "#7d5200",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    pub fn word(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// `收费单号 Receipt no.`
pub fn both(key: &'static str) -> String {
    format!("{} {}", word(Lang::Zh, key), word(Lang::En, key))
}

/// A name in both languages, once where they are the same.
pub fn names(name: &Bilingual) -> String {
    match name.en.is_empty() || name.en == name.zh {
        true => name.zh.clone(),
        false => format!("{} {}", name.zh, name.en),
    }
}
