//! The plan of a checkout: what a payer selected becomes one order per payee. Pure.
use super::amount;
use super::bilingual::Bilingual;
use super::charge::Charge;
use super::ids::ChargeId;
use super::moment::Moment;
use super::money::Fen;
use super::refusal::Refusal;

/// One selected charge; no amount means all that is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub charge_id: ChargeId,
    pub amount: Option<Fen>,
}

/// One of the successive orders of a checkout: lines of a single payee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    pub payee_code: String,
    pub subject: String,
    pub total: Fen,
    /// In the order of the charges
    pub lines: Vec<(ChargeId, Fen)>,
}

/// Checks everything that was selected against what is owed now, and groups it by payee in the order of first
/// appearance. Every charge is looked for among the payer's own; one that is not there is refused like one that does
/// not exist. With `one_batch`, other fees of two batches are refused together (每次只能选择一个批次).
pub fn plan(own: &[Charge], wanted: &[Wanted], now: Moment, one_batch: bool) -> Result<Vec<Part>, Refusal> {
    if wanted.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    let mut parts: Vec<(Part, Vec<Bilingual>)> = Vec::new();
    let mut batch: Option<String> = None;
    for (at, one) in wanted.iter().enumerate() {
        if wanted[..at].iter().any(|other| other.charge_id == one.charge_id) {
            continue;
        }
        let charge = own.iter().find(|charge| charge.id == one.charge_id).ok_or(Refusal::NotFound)?;
        if let Some(key) = charge.batch_key().filter(|_| one_batch)
            && *batch.get_or_insert_with(|| key.clone()) != key
        {
            return Err(Refusal::OneBatch);
        }
        let item = || charge.item.name.clone();
        charge.item.payable_at(now).map_err(|why| Refusal::Unpayable { item: item(), why })?;
        let arrears = charge.balance.arrears();
        let amount = amount::check(one.amount.unwrap_or(arrears), arrears, charge.item.min_split)
            .map_err(|why| Refusal::Amount { item: item(), why })?;
        let payee = &charge.item.payee_code;
        let part = match parts.iter_mut().find(|(part, _)| part.payee_code == *payee) {
            Some(part) => part,
            None => {
                let empty =
                    Part { payee_code: payee.clone(), subject: String::new(), total: Fen::ZERO, lines: Vec::new() };
                parts.push((empty, Vec::new()));
                parts.last_mut().expect("one was pushed just now")
            }
        };
        part.0.lines.push((charge.id, amount));
        part.0.total = part.0.total + amount;
        part.1.push(item());
        if part.0.total > Fen::MAX {
            return Err(Refusal::OrderTooLarge);
        }
    }
    Ok(parts.into_iter().map(|(part, items)| Part { subject: subject(&items), ..part }).collect())
}

/// `学费`, or `学费等2项`: what the payer's bill shows. Official names, so in Chinese.
fn subject(items: &[Bilingual]) -> String {
    match items {
        [] => String::new(),
        [one] => one.zh.clone(),
        [first, ..] => format!("{}等{}项", first.zh, items.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::charge::Balance;
    use super::super::fee::{BillingPeriod, Collection, FeeItem, FeeKind, Unpayable, Window};
    use super::super::ids::{FeeItemId, PayerId, PeriodId};
    use super::*;

    const NOW: Moment = Moment::from_unix(1_000);

    fn charge(id: i64, name: &str, payee: &str, assessed: i64) -> Charge {
        Charge {
            id: ChargeId(id),
            payer_id: PayerId(1),
            item: FeeItem {
                id: FeeItemId(id),
                code: format!("I{id}"),
                name: Bilingual::new(name, ""),
                kind: FeeKind::Tuition,
                payee_code: payee.into(),
                collection: Collection::Collecting,
                window: Window::default(),
                min_split: Some(Fen::new(50_000)),
                fiscal_code: None,
            },
            period: BillingPeriod { id: PeriodId(1), code: "2019".into(), name: Bilingual::new("2019年度", "") },
            balance: Balance { assessed: Fen::new(assessed), ..Balance::default() },
            due_day: None,
            batch: String::new(),
        }
    }

    fn other(id: i64, period: &str, batch: &str) -> Charge {
        let mut charge = charge(id, "教材费", "agency", 5_000);
        charge.item.kind = FeeKind::Other;
        charge.period.code = period.into();
        charge.batch = batch.into();
        charge
    }

    fn all(ids: &[i64]) -> Vec<Wanted> {
        ids.iter().map(|id| Wanted { charge_id: ChargeId(*id), amount: None }).collect()
    }

    #[test]
    fn fiscal_and_agency_money_never_share_an_order() {
        let own = [
            charge(1, "学费", "fiscal", 800_000),
            charge(2, "住宿费", "fiscal", 110_000),
            charge(3, "医疗保险", "agency", 25_000),
        ];
        let parts = plan(&own, &all(&[1, 3, 2]), NOW, true).unwrap();
        let shown: Vec<_> = parts.iter().map(|p| (p.payee_code.as_str(), p.subject.as_str(), p.total.get())).collect();
        assert_eq!(shown, [("fiscal", "学费等2项", 910_000), ("agency", "医疗保险", 25_000)]);
    }

    #[test]
    fn a_charge_named_twice_is_taken_once() {
        let own = [charge(1, "学费", "fiscal", 800_000)];
        assert_eq!(plan(&own, &all(&[1, 1]), NOW, true).unwrap()[0].total, Fen::new(800_000));
    }

    #[test]
    fn other_fees_of_two_batches_never_share_a_checkout_unless_the_school_lets_them() {
        let own =
            [charge(1, "学费", "fiscal", 800_000), other(2, "2025", ""), other(3, "2025", ""), other(4, "2026", "")];
        assert!(plan(&own, &all(&[1, 2, 3]), NOW, true).is_ok(), "one period's fees are a batch; tuition is in none");
        assert_eq!(plan(&own, &all(&[2, 4]), NOW, true), Err(Refusal::OneBatch));
        assert!(plan(&own, &all(&[2, 4]), NOW, false).is_ok());
        let named = [other(1, "2025", "第一批"), other(2, "2025", "第二批"), other(3, "2026", "第一批")];
        assert_eq!(plan(&named, &all(&[1, 2]), NOW, true), Err(Refusal::OneBatch));
        assert!(plan(&named, &all(&[1, 3]), NOW, true).is_ok(), "a batch the office named may go over periods");
    }

    #[test]
    fn a_charge_of_somebody_else_does_not_exist() {
        assert_eq!(plan(&[charge(1, "学费", "fiscal", 1)], &all(&[2]), NOW, true), Err(Refusal::NotFound));
        assert_eq!(plan(&[], &[], NOW, true), Err(Refusal::NothingSelected));
    }

    #[test]
    fn a_suspended_item_or_an_unfit_amount_stops_the_whole_checkout() {
        let mut suspended = charge(2, "教材费", "agency", 41_860);
        suspended.item.collection = Collection::Suspended;
        let own = [charge(1, "学费", "fiscal", 800_000), suspended];
        assert!(matches!(
            plan(&own, &all(&[1, 2]), NOW, true),
            Err(Refusal::Unpayable { why: Unpayable::Suspended, .. })
        ));
        let little = [Wanted { charge_id: ChargeId(1), amount: Some(Fen::new(1)) }];
        assert_eq!(plan(&own, &little, NOW, true).unwrap_err().code(), "amount_below_minimum");
    }
}
