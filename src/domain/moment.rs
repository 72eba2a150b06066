//! A point in time, to the millisecond, read and written in Beijing time (+08:00), the time of every channel and bill.
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

/// Milliseconds since 1970-01-01T00:00:00Z; the form of every `…_at` column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

/// A day as people write it: `2026-09-30`, `2026/9/30`, `2026.9.30`, `20260930`; what follows a blank or a `T` is not
/// read.
pub fn written_day(text: &str) -> Option<NaiveDate> {
    let text = text.split([' ', 'T']).next().unwrap_or(text);
    ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"].iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

/// Beijing time has had one offset since 1991.
pub fn beijing() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("eight hours are less than a day")
}

impl Moment {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn unix(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `2018-06-08T10:34:56+08:00`, with or without a fraction (WeChat Pay v3, general rules).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self(at.timestamp_millis()))
    }

    /// `yyyy-MM-dd HH:mm:ss`, Beijing time, with or without a fraction (Alipay, every time field).
    pub fn parse_beijing(text: &str) -> Option<Self> {
        let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
        beijing().from_local_datetime(&naive).single().map(|at| Self(at.timestamp_millis()))
    }

    /// Midnight at the start of a Beijing day.
    pub fn start_of(day: NaiveDate) -> Self {
        let at = beijing().from_local_datetime(&day.and_time(NaiveTime::MIN)).single();
        Self(at.expect("Beijing time has no gaps").timestamp_millis())
    }

    pub fn in_beijing(self) -> DateTime<FixedOffset> {
        let utc = Utc.timestamp_millis_opt(self.0).single().unwrap_or_default();
        utc.with_timezone(&beijing())
    }

    /// The Beijing day this moment falls on.
    pub fn day(self) -> NaiveDate {
        self.in_beijing().date_naive()
    }

    pub fn month_start(self) -> Self {
        let day = self.day();
        Self::start_of(day.with_day(1).unwrap_or(day))
    }

    /// `2026-09-01T10:24:36+08:00`
    pub fn rfc3339(self) -> String {
        self.in_beijing().format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
    }

    /// `2026-09-01 10:24:36`
    pub fn beijing_text(self) -> String {
        self.in_beijing().format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Any `strftime` pattern, in Beijing time.
    pub fn format(self, pattern: &str) -> String {
        self.in_beijing().format(pattern).to_string()
    }

    /// Time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, span: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Moment {
    type Output = Moment;
    fn sub(self, span: Duration) -> Moment {
        Moment(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.in_beijing().format("%Y-%m-%dT%H:%M:%S%.3f+08:00"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_both_channels_spellings_of_the_same_second() {
        let wechat = Moment::parse_rfc3339("2026-09-01T10:24:36+08:00").unwrap();
        let alipay = Moment::parse_beijing("2026-09-01 10:24:36").unwrap();
        assert_eq!(wechat, alipay);
        assert_eq!(wechat.rfc3339(), "2026-09-01T10:24:36+08:00");
        assert_eq!(wechat.beijing_text(), "2026-09-01 10:24:36");
    }

    #[test]
    fn days_are_read_as_people_write_them() {
        for text in ["2026-09-30", "2026/9/30", "20260930", "2026-09-30 00:00:00", "2026.9.30"] {
            assert_eq!(written_day(text).unwrap().to_string(), "2026-09-30", "{text}");
        }
        for text in ["2026-02-30", "30/09/2026", "", "soon"] {
            assert_eq!(written_day(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_changes_at_midnight_in_beijing() {
        let late = Moment::parse_rfc3339("2026-08-31T15:59:59Z").unwrap();
        assert_eq!(late.day().to_string(), "2026-08-31");
        assert_eq!((late + Duration::from_secs(1)).day().to_string(), "2026-09-01");
    }
}
