//! A failing storm made short: the shortest prefix of its moves that still fails, then without every move, strike and
//! interruption it can do without.
use jiaofei::drill::Fault;

use super::moves::{Move, deal};
use super::run::Storm;
use super::seeds::alone;

/// How many runs a shrinking may take.
const PATIENCE: usize = 200;

pub struct Shrunk {
    pub moves: Vec<Move>,
    pub storm: Storm,
}

struct Shrinker {
    seed: u64,
    planted: Option<Fault>,
    left: usize,
    best: Shrunk,
}

/// `storm` is how the whole seed failed.
pub fn shrink(seed: u64, planted: Option<Fault>, storm: Storm) -> Shrunk {
    let mut moves = deal(seed);
    moves.truncate(storm.after);
    let mut shrinker = Shrinker { seed, planted, left: PATIENCE, best: Shrunk { moves, storm } };
    shrinker.prefix();
    shrinker.leave_out();
    shrinker.calm_down();
    shrinker.best
}

impl Shrinker {
    /// Whether these moves fail as well; if so they are the best so far.
    fn fails(&mut self, moves: Vec<Move>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let storm = alone(self.seed, &moves, self.planted);
        let fails = storm.broken.is_some();
        if fails {
            self.best = Shrunk { moves, storm };
        }
        fails
    }

    fn prefix(&mut self) {
        let all = self.best.moves.clone();
        let (mut holds, mut fails) = (0, all.len());
        while fails - holds > 1 {
            let middle = holds.midpoint(fails);
            match self.fails(all[..middle].to_vec()) {
                true => fails = middle,
                false => holds = middle,
            }
        }
    }

    fn leave_out(&mut self) {
        let mut many = self.best.moves.len() / 2;
        while many > 0 {
            let mut at = 0;
            while at < self.best.moves.len() {
                let mut fewer = self.best.moves.clone();
                fewer.drain(at..(at + many).min(fewer.len()));
                if !self.fails(fewer) {
                    at += many;
                }
            }
            many /= 2;
        }
    }

    fn calm_down(&mut self) {
        for at in 0..self.best.moves.len() {
            let (strike, between) = (self.best.moves[at].strike.is_some(), self.best.moves[at].between.is_some());
            if strike {
                let mut calmer = self.best.moves.clone();
                calmer[at].strike = None;
                self.fails(calmer);
            }
            if between {
                let mut calmer = self.best.moves.clone();
                calmer[at].between = None;
                self.fails(calmer);
            }
        }
    }
}
