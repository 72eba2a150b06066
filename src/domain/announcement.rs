//! 公告: what the finance office tells everybody.
use super::bilingual::Bilingual;
use super::ids::AnnouncementId;
use super::moment::Moment;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    pub id: AnnouncementId,
    /// Who tells it; may be empty
    pub department: Bilingual,
    pub title: Bilingual,
    /// Plain text; an empty line begins a new paragraph
    pub body: Bilingual,
    /// Shown on the first page after signing in
    pub pinned: bool,
    pub published_at: Moment,
}

/// The paragraphs of a text; lines of one paragraph stay lines.
pub fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut paragraphs: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => last.push(line),
            _ => paragraphs.push(Vec::new()),
        }
    }
    paragraphs.retain(|lines| !lines.is_empty());
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_begins_a_paragraph_however_many_there_are() {
        let text = "\n 一 \n二\n\n\n三\r\n";
        assert_eq!(paragraphs(text), [vec!["一", "二"], vec!["三"]]);
        assert!(paragraphs(" \n\n").is_empty());
    }
}
