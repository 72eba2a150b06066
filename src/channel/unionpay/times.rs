//! Times as UnionPay writes them: Beijing's, in digits, some of them without the year.
use crate::domain::moment::Moment;

/// `yyyyMMddHHmmss`
pub fn text(at: Moment) -> String {
    at.format("%Y%m%d%H%M%S")
}

/// Reads `yyyyMMddHHmmss`.
pub fn parse(text: &str) -> Option<Moment> {
    let digits = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = |from: usize, to: usize| text.get(from..to);
    let spelled = || {
        let (day, time) = ((part(0, 4)?, part(4, 6)?, part(6, 8)?), (part(8, 10)?, part(10, 12)?, part(12, 14)?));
        Some(format!("{}-{}-{} {}:{}:{}", day.0, day.1, day.2, time.0, time.1, time.2))
    };
    Moment::parse_beijing(&spelled().filter(|_| digits)?)
}

/// Reads `MMddHHmmss`, in the year that brings it nearest to `about`: a payment of New Year's Eve may be settled in
/// the year after.
pub fn parse_near(text: &str, about: Moment) -> Option<Moment> {
    let year: i32 = about.format("%Y").parse().ok()?;
    let near = |at: &Moment| (at.millis() - about.millis()).abs();
    let years = [year - 1, year, year + 1];
    years.into_iter().filter_map(|year| parse(&format!("{year:04}{text}"))).min_by_key(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse_beijing(text).unwrap()
    }

    #[test]
    fn a_time_is_written_and_read_in_beijing() {
        assert_eq!(text(at("2026-09-01 10:24:36")), "20260901102436");
        assert_eq!(parse("20260901102436"), Some(at("2026-09-01 10:24:36")));
        for wrong in ["", "2026090110243", "202609011024360", "20260931102436", "2026+901102436", "２０２６０９０１１"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_without_its_year_takes_the_nearest_one() {
        let near = |text, about| parse_near(text, at(about)).map(Moment::beijing_text);
        let same = near("0901102436", "2026-09-01 10:20:00");
        assert_eq!(same.as_deref(), Some("2026-09-01 10:24:36"));
        let after = near("0101000003", "2026-12-31 23:59:50");
        assert_eq!(after.as_deref(), Some("2027-01-01 00:00:03"), "New Year's Eve");
        let before = near("1231235959", "2027-01-01 00:00:01");
        assert_eq!(before.as_deref(), Some("2026-12-31 23:59:59"), "their clock is behind ours");
        assert_eq!(near("0229100000", "2028-02-29 09:59:00").as_deref(), Some("2028-02-29 10:00:00"));
        assert_eq!(near("1301000000", "2026-12-31 23:59:50"), None);
        assert_eq!(near("", "2026-12-31 23:59:50"), None);
    }
}
