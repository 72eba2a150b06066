//! How much of a charge may be paid at once (最小拆分金额). The client mirrors these rules; this decides.
use super::money::Fen;

/// Why an amount is not allowed. Each has its own words for the payer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AmountRefusal {
    #[error("the amount is above the arrears of {arrears}")]
    AboveArrears { arrears: Fen },
    #[error("the amount is below the smallest part of {min_split}")]
    BelowMinimum { min_split: Fen },
    #[error("the remainder {remainder} would be below the smallest part of {min_split}")]
    RemainderTooSmall { remainder: Fen, min_split: Fen },
    #[error("this item is paid in full")]
    NotSplittable { arrears: Fen },
    #[error("nothing is owed")]
    NothingOwed,
}

/// Whether the payer may change the amount at all: the item allows splitting and two legal parts exist.
pub fn may_change(arrears: Fen, min_split: Option<Fen>) -> bool {
    min_split.is_some_and(|min| min.is_positive() && arrears >= min + min)
}

/// Checks an amount against what is owed now. The whole arrears is always allowed.
pub fn check(amount: Fen, arrears: Fen, min_split: Option<Fen>) -> Result<Fen, AmountRefusal> {
    if !arrears.is_positive() {
        return Err(AmountRefusal::NothingOwed);
    }
    if amount == arrears {
        return Ok(amount);
    }
    if amount > arrears {
        return Err(AmountRefusal::AboveArrears { arrears });
    }
    let Some(min_split) = min_split.filter(|_| may_change(arrears, min_split)) else {
        return Err(AmountRefusal::NotSplittable { arrears });
    };
    if amount < min_split {
        return Err(AmountRefusal::BelowMinimum { min_split });
    }
    let remainder = arrears - amount;
    if remainder < min_split {
        return Err(AmountRefusal::RemainderTooSmall { remainder, min_split });
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIN: Option<Fen> = Some(Fen::new(50_000));

    #[test]
    fn each_broken_rule_has_its_own_refusal() {
        let arrears = Fen::new(300_000);
        assert_eq!(check(Fen::new(150_000), arrears, MIN), Ok(Fen::new(150_000)));
        assert_eq!(check(arrears, arrears, None), Ok(arrears));
        assert_eq!(check(Fen::new(300_001), arrears, MIN), Err(AmountRefusal::AboveArrears { arrears }));
        assert_eq!(
            check(Fen::new(49_999), arrears, MIN),
            Err(AmountRefusal::BelowMinimum { min_split: Fen::new(50_000) })
        );
        assert_eq!(
            check(Fen::new(250_001), arrears, MIN),
            Err(AmountRefusal::RemainderTooSmall { remainder: Fen::new(49_999), min_split: Fen::new(50_000) })
        );
        assert_eq!(check(Fen::new(150_000), arrears, None), Err(AmountRefusal::NotSplittable { arrears }));
        assert_eq!(check(Fen::ZERO, Fen::ZERO, MIN), Err(AmountRefusal::NothingOwed));
    }

    #[test]
    fn arrears_below_two_smallest_parts_are_paid_whole() {
        assert!(!may_change(Fen::new(99_999), MIN));
        assert!(may_change(Fen::new(100_000), MIN));
        assert!(!may_change(Fen::new(100_000), None));
    }

    proptest! {
        #[test]
        fn an_allowed_amount_leaves_nothing_or_a_payable_rest(
            amount in 0i64..2_000_000, arrears in 0i64..2_000_000, min in 1i64..500_000,
        ) {
            if let Ok(paid) = check(Fen::new(amount), Fen::new(arrears), Some(Fen::new(min))) {
                let rest = arrears - paid.get();
                prop_assert!(rest == 0 || rest >= min);
                prop_assert!(paid.get() == arrears || paid.get() >= min);
            }
        }
    }
}
