//! 道: a payee's account at one channel, as far as work that waits for it is concerned. What hangs in one lane hangs in
//! no other: each is worked through by itself.
use futures_util::StreamExt;

use super::failure::Result;
use crate::app::App;
pub use crate::domain::trade::Lane;

/// How many calls wait for one channel at once.
pub const WIDTH: usize = 8;

/// Works through all lanes, side by side. Gives how much was done; the first failure ends in the result, after the
/// others have done their part.
pub async fn each<F>(app: &App, lanes: Vec<Lane>, work: impl Fn(Lane) -> F) -> Result<usize>
where
    F: Future<Output = Result<usize>>,
{
    let wide = app.drill.side_by_side(lanes.len().max(1));
    let done: Vec<Result<usize>> = futures_util::stream::iter(lanes).map(work).buffer_unordered(wide).collect().await;
    done.into_iter().sum()
}

/// Does all of it, [`WIDTH`] at once. Gives how many gave true.
pub async fn all<T, F>(app: &App, due: Vec<T>, work: impl Fn(T) -> F) -> Result<usize>
where
    F: Future<Output = Result<bool>>,
{
    let wide = app.drill.side_by_side(WIDTH);
    let done: Vec<Result<bool>> = futures_util::stream::iter(due).map(work).buffer_unordered(wide).collect().await;
    done.into_iter().map(|one| one.map(usize::from)).sum()
}
