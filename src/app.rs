//! The toolbox every act is given. It holds things and decides nothing.
use tokio::sync::broadcast;

use crate::cache::keep::Cache;
use crate::channel::directory::Directory;
use crate::clock::{Chance, Clock};
use crate::config::Config;
use crate::domain::ids::OrderId;
use crate::store::db::Db;
use crate::store::seal::Sealer;
use crate::store::serials::Serials;

pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub chance: Chance,
    pub db: Db,
    pub sealer: Sealer,
    pub serials: Serials,
    pub cache: Cache,
    pub channels: Directory,
    /// Orders that changed in this process, for pages that wait; a hint only, the page asks the database.
    pub changed: broadcast::Sender<OrderId>,
}
