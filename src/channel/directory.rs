//! Which account serves which payee at which channel. Filled once at start, never changed.
use std::collections::HashMap;
use std::sync::Arc;

use super::contract::PaymentChannel;
use crate::domain::trade::Channel;

#[derive(Clone, Default)]
pub struct Directory {
    accounts: HashMap<(String, Channel), Arc<dyn PaymentChannel>>,
}

impl Directory {
    /// Adds an account; the channel is the account's own word.
    pub fn add(&mut self, payee_code: &str, account: Arc<dyn PaymentChannel>) {
        self.accounts.insert((payee_code.to_owned(), account.channel()), account);
    }

    pub fn find(&self, payee_code: &str, channel: Channel) -> Option<&dyn PaymentChannel> {
        self.accounts.get(&(payee_code.to_owned(), channel)).map(Arc::as_ref)
    }

    /// The channels a payee can be paid through, in a fixed order.
    pub fn of_payee(&self, payee_code: &str) -> Vec<Channel> {
        Channel::ALL.iter().copied().filter(|channel| self.find(payee_code, *channel).is_some()).collect()
    }
}
