//! What a list was asked to show, as its address says it: shareable, kept while pages are turned, and read without
//! a script.
use super::links;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;

/// What of the arrears is shown, and the amounts changed so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Owing {
    /// A billing period's code; none shows all
    pub period: Option<String>,
    /// A fee item's code; none shows all
    pub item: Option<String>,
    /// 显示过期项目: what cannot be paid any more because its time is over
    pub expired: bool,
    /// 显示已缴清项目: what nothing is owed for any more
    pub settled: bool,
    /// Changes made so far without a script (`amt{charge}` = yuan text)
    pub amounts: Vec<(ChargeId, Fen)>,
}

impl Owing {
    pub fn of_period(code: &str) -> Owing {
        Owing { period: Some(code.to_owned()), expired: true, ..Owing::default() }
    }

    /// From a query or a form; what is no amount is left out.
    pub fn read(pairs: &[(String, String)]) -> Owing {
        let mut filter = Owing::default();
        for (name, value) in pairs {
            match name.as_str() {
                "period" => filter.period = Some(value.clone()).filter(|code| !code.is_empty()),
                "item" => filter.item = Some(value.clone()).filter(|code| !code.is_empty()),
                "expired" => filter.expired = value == "1",
                "settled" => filter.settled = value == "1",
                _ => {
                    let charge = name.strip_prefix("amt").and_then(|id| id.parse().ok());
                    filter.amounts.extend(charge.zip(Fen::typed(value)));
                }
            }
        }
        filter
    }

    /// The filters without the amounts, for hidden fields.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let flag = |on: bool| if on { "1" } else { "" };
        let fields = [
            ("period", self.period.as_deref().unwrap_or_default()),
            ("item", self.item.as_deref().unwrap_or_default()),
            ("expired", flag(self.expired)),
            ("settled", flag(self.settled)),
        ];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The changed amounts, for hidden fields.
    pub fn amount_fields(&self) -> Vec<(String, String)> {
        self.amounts.iter().map(|(charge, amount)| (format!("amt{charge}"), amount.yuan())).collect()
    }

    /// The arrears page with all of this.
    pub fn address(&self) -> String {
        self.with(links::TUITION)
    }

    /// The page that changes one amount and comes back to all of this.
    pub fn change(&self, charge: ChargeId) -> String {
        self.with(&links::amount(charge))
    }

    fn with(&self, path: &str) -> String {
        let amounts = self.amount_fields();
        let mut query = self.fields();
        query.extend(amounts.iter().map(|(name, yuan)| (name.as_str(), yuan.as_str())));
        links::with_query(path, &query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_shown_and_is_read_back() {
        let filter = Owing {
            period: Some("2024".into()),
            item: Some("11".into()),
            expired: true,
            settled: true,
            amounts: vec![(ChargeId(4), Fen::new(150_000))],
        };
        let address = filter.address();
        assert_eq!(address, "/h5/tuition?period=2024&item=11&expired=1&settled=1&amt4=1500.00");
        let query = form_urlencoded::parse(address.split_once('?').unwrap().1.as_bytes()).into_owned();
        assert_eq!(Owing::read(&query.collect::<Vec<_>>()), filter);
        let changes = Owing { amounts: filter.amounts, ..Owing::default() };
        assert_eq!(changes.change(ChargeId(1)), "/h5/tuition/1/amount?amt4=1500.00");
        assert_eq!(Owing::default().address(), links::TUITION);
        assert_eq!(Owing::of_period("2024").address(), "/h5/tuition?period=2024&expired=1");
    }
}
