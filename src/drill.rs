//! Drills: where a storm may let the process die between two steps, an act stumble, or another act come in between; and
//! the faults that are planted to see whether a storm would find them.
//!
//! All of it needs the feature `storm`, which `serve` refuses to start with. Without it a [`Drill`] is nothing, its
//! places are constants that the compiler takes out, and no fault can be planted.

/// An act was ended at one of its places. Nothing after it happened; a transaction that was open is undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("ended by a drill at {0:?}")]
pub struct Ended(pub &'static str);

/// Declares the faults with what each one is, for the storm's report.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $variant:ident),+ $(,)?) => {
        /// A mistake somebody could make, planted in one place each.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault { $($(#[doc = $doc])+ $variant),+ }

        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$variant),+];

            /// What is done wrong, in a sentence.
            pub const fn explain(self) -> &'static str {
                match self { $(Fault::$variant => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

faults! {
    /// A payment of another amount than the order's is booked as if it were right.
    SkipAmountCheck,
    /// A notice is acknowledged although booking it failed.
    AcknowledgeBeforeCommit,
    /// A notice is remembered as booked before it is.
    RememberBeforeCommit,
    /// The order is judged by the look before the lock, moved without compare-and-set, and a trade that is known is
    /// booked again: all three belts at once, for any one of them holds alone.
    SettleWithoutGuards,
    /// Money for a closed order is booked without looking whether its charges are still due.
    BookLateRegardless,
    /// Money for a pending order is booked without looking whether its charges are still due.
    SkipStillDue,
    /// Another way of paying begins while the old attempt can still be paid.
    ForgetOldAttempt,
    /// A number WeChat has not seen yet is taken for closed, though the order call may be under way.
    TakeAbsentForClosed,
    /// An Alipay attempt that was closed unseen is not looked at again.
    ForgetToWatch,
    /// An order is closed without asking the channel.
    CloseWithoutAsking,
    /// An inquiry names the trade otherwise than the notice does.
    NameTradesTwice,
    /// A wrong amount under review does not stop the payer from paying once more.
    ReleaseUnderReview,
    /// A charge that waits in one order is put into another as well.
    ForgetPendingOrders,
    /// Surplus money is wanted back twice, under two numbers.
    RefundSurplusTwice,
    /// Each try of a refund has a number of its own at the channel.
    RenumberRefunds,
    /// What the office sends back is not reserved on the lines.
    ForgetToReserve,
    /// A refund is booked when the channel has taken it, not when the money is back.
    BookRefundsEarly,
    /// An event is written after the transaction of what it tells, not in it.
    TellAfterCommit,
    /// Campus systems are told of a refund when the channel has taken it, not when the money is back.
    TellRefundsEarly,
    /// A delivery is done before its receiver has answered.
    DoneBeforeAnswer,
    /// Each try of an event has an id of its own.
    RenumberEvents,
}

/// The drill of one `App`, armed by a storm. Clones are one drill.
#[derive(Clone, Default)]
pub struct Drill {
    #[cfg(feature = "storm")]
    plan: std::sync::Arc<std::sync::Mutex<Plan>>,
}

#[cfg(not(feature = "storm"))]
impl Drill {
    /// A place between two steps, where a process may die.
    ///
    /// # Errors
    /// Never, without the feature.
    #[inline(always)]
    pub const fn point(&self, _place: &'static str) -> Result<(), Ended> {
        Ok(())
    }

    /// A place between two steps outside any transaction, where other acts may come in between as well.
    ///
    /// # Errors
    /// Never, without the feature.
    #[inline(always)]
    pub async fn gap(&self, _place: &'static str) -> Result<(), Ended> {
        Ok(())
    }

    /// Whether this mistake is made here.
    #[inline(always)]
    pub const fn planted(&self, _fault: Fault) -> bool {
        false
    }

    /// How many things are done side by side; a storm does one after the other, so that its history can be repeated.
    #[inline(always)]
    pub const fn side_by_side(&self, usual: usize) -> usize {
        usual
    }
}

#[cfg(feature = "storm")]
/// How an act ends at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strike {
    /// The process dies: this act ends, and every other one at its next place.
    Die,
    /// The database goes away for a moment: this act fails, the process lives on.
    Stumble,
}

#[cfg(feature = "storm")]
type Act = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

#[cfg(feature = "storm")]
#[derive(Default)]
struct Plan {
    /// After how many more places, and how
    strike: Option<(u32, Strike)>,
    /// At which place, whenever it is next reached, and how
    ambush: Option<(String, Strike)>,
    /// After how many more gaps, and what comes in between
    between: Option<(u32, Act)>,
    dead: bool,
    planted: Option<Fault>,
    one_by_one: bool,
    /// How often an act was ended
    struck: u32,
    /// What happened since it was last asked for
    told: Vec<String>,
}

#[cfg(feature = "storm")]
impl Drill {
    /// A place between two steps, where a process may die.
    ///
    /// # Errors
    /// When a storm armed it so, and from then on if the process is dead.
    pub fn point(&self, place: &'static str) -> Result<(), Ended> {
        let mut plan = self.plan();
        if plan.dead {
            return Err(Ended(place));
        }
        let waiting = plan.ambush.take_if(|(at, _)| at == place).map(|(_, strike)| strike);
        let counted = plan.strike.take_if(|(more, _)| *more == 0).map(|(_, strike)| strike);
        if let Some((more, _)) = &mut plan.strike {
            *more -= 1;
        }
        let Some(strike) = waiting.or(counted) else { return Ok(()) };
        plan.dead = strike == Strike::Die;
        plan.struck += 1;
        let word = if plan.dead { "dies" } else { "stumbles" };
        plan.told.push(format!("{word} at {place:?}"));
        Err(Ended(place))
    }

    /// A place between two steps outside any transaction, where other acts may come in between as well.
    ///
    /// # Errors
    /// As [`Drill::point`].
    pub async fn gap(&self, place: &'static str) -> Result<(), Ended> {
        self.point(place)?;
        let act = {
            let mut plan = self.plan();
            match plan.between.take() {
                Some((0, act)) => {
                    plan.told.push(format!("in between, at {place:?}:"));
                    Some(act)
                }
                Some((more, act)) => {
                    plan.between = Some((more - 1, act));
                    None
                }
                None => None,
            }
        };
        let Some(act) = act else { return Ok(()) };
        act.await;
        self.point(place)
    }

    /// Whether this mistake is made here.
    pub fn planted(&self, fault: Fault) -> bool {
        self.plan().planted == Some(fault)
    }

    /// How many things are done side by side; a storm does one after the other, so that its history can be
    /// repeated.
    pub fn side_by_side(&self, usual: usize) -> usize {
        if self.plan().one_by_one { 1 } else { usual }
    }

    /// From now on one thing is done after the other.
    pub fn one_by_one(&self) {
        self.plan().one_by_one = true;
    }

    pub fn plant(&self, fault: Option<Fault>) {
        self.plan().planted = fault;
    }

    /// Lets the place after the next `more` strike.
    pub fn arm(&self, more: u32, strike: Strike) {
        self.plan().strike = Some((more, strike));
    }

    /// Lets this place strike when it is next reached, however long that takes; none: no place.
    pub fn lie_in_wait(&self, at: Option<(String, Strike)>) {
        self.plan().ambush = at;
    }

    /// The place where this drill still lies in wait, and how.
    pub fn lies_in_wait(&self) -> Option<(String, Strike)> {
        self.plan().ambush.clone()
    }

    /// Lets `act` run to its end at the gap after the next `more`.
    pub fn come_between(&self, more: u32, act: Act) {
        self.plan().between = Some((more, act));
    }

    /// How often an act was ended so far.
    pub fn struck(&self) -> u32 {
        self.plan().struck
    }

    pub fn is_dead(&self) -> bool {
        self.plan().dead
    }

    /// Whatever was armed and has not struck will not. Gives whether the process is dead.
    pub fn disarm(&self) -> bool {
        let mut plan = self.plan();
        plan.strike = None;
        // an act that never came is dropped after the lock
        let unused = plan.between.take();
        let dead = plan.dead;
        drop(plan);
        drop(unused);
        dead
    }

    /// What has struck since this was last asked.
    pub fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.plan().told)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
