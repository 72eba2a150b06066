//! The face of a fiscal e-receipt as a drawing, in the order of 非税收入统一票据（电子）: numbers, rows, sums, unit. It is a
//! drawing from the bill's data and says so: no seal is drawn and no code invented (docs/decisions, e-receipts).
use askama::Template;

use super::drawing::{Anchor, Ink, Run};
use crate::domain::bilingual::Lang;
use crate::domain::capital::capitals;
use crate::domain::ereceipt::{Bill, BillName, Content};
use crate::web::paper::{drawable, wrapped};
use crate::web::words::word;

/// Points; as wide as A5 across
pub const WIDTH: f32 = 595.0;
const LEFT: f32 = 30.0;
const RIGHT: f32 = WIDTH - LEFT;
/// Where the table begins
const TOP: f32 = 116.0;
const ROW: f32 = 22.0;
/// Where columns begin: 项目编码, 项目名称, 单位, 数量, 标准, 金额
const COLUMNS: [f32; 6] = [LEFT, 124.0, 270.0, 312.0, 354.0, 446.0];
/// From the last row to the lower edge
const FOOT: f32 = 146.0;
const FEWEST: usize = 4;

/// What stands on a bill beside its numbers and rows.
pub struct Face<'a> {
    /// The words at the head
    pub title: &'a str,
    pub unit: &'a str,
    pub handler: &'a str,
    pub red: Option<&'a BillName>,
    pub void: bool,
}

#[derive(Template, Debug)]
#[template(path = "paper/bill.svg")]
pub struct BillPaper {
    pub height: f32,
    pub runs: Vec<Run>,
    /// Lines across the table
    pub rules: Vec<f32>,
    /// Lines down the table, to the last row
    pub columns: Vec<f32>,
    pub rows_end: f32,
    pub table_end: f32,
}

impl BillPaper {
    pub fn of(bill: &Bill, content: &Content, face: &Face<'_>) -> BillPaper {
        let rows = content.lines.len().max(FEWEST);
        let rows_end = TOP + ROW * (rows as f32 + 1.0);
        let mut paper = BillPaper {
            height: rows_end + FOOT,
            runs: Vec::new(),
            rules: (0..=rows + 1)
                .map(|at| TOP + ROW * at as f32)
                .chain([rows_end + ROW, rows_end + 2.0 * ROW])
                .collect(),
            columns: COLUMNS[1..].to_vec(),
            rows_end,
            table_end: rows_end + 2.0 * ROW,
        };
        paper.head(bill, content, face);
        paper.rows(content);
        paper.sums(bill, content);
        paper.foot(face);
        paper
    }

    fn put(&mut self, place: (f32, f32, Anchor), look: (f32, Ink), text: &str) {
        self.runs.push(Run::new(place, look, text));
    }

    /// A text that has only so much room: what does not fit is left out.
    fn fit(&mut self, (x, y): (f32, f32), room: f32, text: &str) {
        let line = wrapped(&drawable(text), 9.5, room).swap_remove(0);
        self.put((x, y, Anchor::Start), (9.5, Ink::Black), &line);
    }

    fn head(&mut self, bill: &Bill, content: &Content, face: &Face<'_>) {
        let zh = |key| word(Lang::Zh, key);
        self.put((WIDTH / 2.0, 42.0, Anchor::Middle), (18.0, Ink::Red), face.title);
        let day = bill.issued_at.format("%Y-%m-%d");
        let left = [(zh("er.code"), bill.name.code.as_str()), (zh("er.payer"), content.payer.as_str())];
        let right = [
            (zh("er.number"), bill.name.number.as_str()),
            (zh("er.check"), bill.name.check.as_str()),
            (zh("er.day"), day.as_str()),
        ];
        for (x, y, rows) in [(LEFT, 72.0, &left[..]), (370.0, 72.0, &right[..])] {
            for (at, (label, value)) in rows.iter().enumerate() {
                let y = y + 16.0 * at as f32;
                self.put((x, y, Anchor::Start), (9.5, Ink::Grey), &format!("{label}："));
                self.put((x + 58.0, y, Anchor::Start), (10.0, Ink::Black), value);
            }
        }
        if face.void {
            let red = face.red.map_or(String::new(), |red| format!("（{} {}）", zh("er.red"), red.number));
            self.put((LEFT, 104.0, Anchor::Start), (11.0, Ink::Red), &format!("{}{red}", zh("er.void")));
        }
    }

    fn rows(&mut self, content: &Content) {
        let heads = ["er.item_code", "er.item", "er.per", "er.many", "er.rate", "er.amount"];
        for (x, key) in COLUMNS.into_iter().zip(heads) {
            self.put((x + 6.0, TOP + 15.0, Anchor::Start), (9.5, Ink::Grey), word(Lang::Zh, key));
        }
        for (at, line) in content.lines.iter().enumerate() {
            let y = TOP + ROW * (at as f32 + 1.0) + 15.0;
            let amount = line.amount.yuan();
            self.fit((COLUMNS[0] + 6.0, y), 86.0, &line.code);
            self.fit((COLUMNS[1] + 6.0, y), 136.0, &line.name);
            self.fit((COLUMNS[2] + 6.0, y), 34.0, word(Lang::Zh, "er.piece"));
            self.fit((COLUMNS[3] + 6.0, y), 34.0, "1");
            self.put((COLUMNS[5] - 6.0, y, Anchor::End), (9.5, Ink::Black), &amount);
            self.put((RIGHT - 6.0, y, Anchor::End), (9.5, Ink::Black), &amount);
        }
    }

    fn sums(&mut self, bill: &Bill, content: &Content) {
        let y = self.rows_end + 15.0;
        let words = capitals(bill.amount);
        let plain = words.strip_prefix("人民币").unwrap_or(&words);
        self.put((LEFT + 6.0, y, Anchor::Start), (9.5, Ink::Grey), word(Lang::Zh, "er.sum_words"));
        self.put((LEFT + 92.0, y, Anchor::Start), (10.0, Ink::Black), plain);
        let figures = format!("{} {}", word(Lang::Zh, "er.sum_figures"), bill.amount.yuan());
        self.put((RIGHT - 6.0, y, Anchor::End), (10.0, Ink::Black), &figures);
        self.put((LEFT + 6.0, y + ROW, Anchor::Start), (9.5, Ink::Grey), word(Lang::Zh, "er.remark"));
        self.fit((LEFT + 92.0, y + ROW), RIGHT - LEFT - 100.0, &content.remark);
    }

    fn foot(&mut self, face: &Face<'_>) {
        let y = self.table_end + 24.0;
        let unit = format!("{}：{}", word(Lang::Zh, "er.unit"), face.unit);
        self.put((LEFT, y, Anchor::Start), (10.0, Ink::Black), &unit);
        let handler = format!("{}：{}", word(Lang::Zh, "er.handler"), face.handler);
        self.put((RIGHT, y, Anchor::End), (10.0, Ink::Black), &handler);
        let notes = [word(Lang::Zh, "er.drawing"), word(Lang::En, "er.drawing"), word(Lang::Zh, "er.examine")];
        for (at, note) in notes.into_iter().enumerate() {
            let y = y + 26.0 + 12.0 * at as f32;
            self.put((WIDTH / 2.0, y, Anchor::Middle), (8.0, Ink::Grey), note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ereceipt::ContentLine;
    use crate::domain::moment::Moment;
    use crate::domain::money::Fen;
    use crate::web::paper::{self, Kind, UNKNOWN};

    fn paper(lines: usize, void: bool) -> BillPaper {
        let line = |at: usize| ContentLine {
            code: format!("{:011}", 10_304_275_711u64 + at as u64),
            name: "学费".into(),
            amount: Fen::new(1),
        };
        let content = Content {
            payer: "林知夏".into(),
            lines: (0..lines).map(line).collect(),
            remark: "计算机学院 软件工程 2301 班 2019年度".into(),
            paid_at: 0,
        };
        let name = BillName::new("62010126", "0011657007", "8ac31f").unwrap();
        let bill = Bill { name: name.clone(), issued_at: Moment::from_unix(0), amount: content.total(), address: None };
        let title = "非税收入统一票据（电子）";
        BillPaper::of(&bill, &content, &Face { title, unit: "启明大学", handler: "支付平台", red: Some(&name), void })
    }

    #[test]
    fn the_face_has_every_row_the_sum_in_capitals_and_no_letter_the_font_lacks() {
        let drawn = paper(9, true);
        let texts: Vec<&str> = drawn.runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(texts.iter().filter(|text| text.starts_with("103042757")).count(), 9);
        for wanted in ["62010126", "0011657007", "8ac31f", "林知夏", "玖分", "1970-01-01"] {
            assert!(texts.contains(&wanted), "{wanted}");
        }
        assert!(texts.iter().any(|text| text.contains("已红冲")), "{texts:?}");
        assert!(texts.iter().all(|text| !text.contains(UNKNOWN)), "{texts:?}");
        assert!(paper(1, false).runs.iter().all(|run| !run.text.contains("已红冲")));
    }

    #[tokio::test]
    async fn it_is_a_picture_to_keep() {
        let png = paper::draw(paper(2, false).render().unwrap(), Kind::Png).await.unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        if let Ok(folder) = std::env::var("JIAOFEI_TEST_ARTEFACTS") {
            let folder = std::path::Path::new(&folder);
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join("ereceipt.png"), png).unwrap();
        }
    }
}
