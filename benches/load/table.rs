//! The figures as they are printed: what was measured, beside what, and the aim.

#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 6]>,
}

/// What a figure is to reach, and whether it did in this run.
pub struct Aim {
    told: String,
    met: bool,
}

impl Aim {
    pub fn at_least(value: f64, bound: f64) -> Option<Aim> {
        Some(Aim { told: format!("≥ {bound}"), met: value >= bound })
    }

    pub fn at_most(value: f64, bound: f64, unit: &str) -> Option<Aim> {
        Some(Aim { told: format!("≤ {bound}{unit}"), met: value <= bound })
    }

    /// Both of two.
    pub fn and(one: Option<Aim>, other: Option<Aim>) -> Option<Aim> {
        let (one, other) = (one?, other?);
        Some(Aim { told: format!("{}, {}", one.told, other.told), met: one.met && other.met })
    }
}

impl Table {
    /// One line; it is shown at once and again in the table.
    pub fn add(&mut self, figure: &str, ours: String, beside: String, ratio: Option<f64>, aim: Option<Aim>) {
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
        println!("  {figure}: {ours}  {beside}  {ratio}");
        let met = match &aim {
            None => "",
            Some(aim) if aim.met => "yes",
            Some(_) => "no",
        };
        let aim = aim.map_or_else(String::new, |aim| aim.told);
        self.rows.push([figure.to_owned(), ours, beside, ratio, aim, met.to_owned()]);
    }

    pub fn told(&self) -> String {
        let mut out = String::from("| figure | ours | beside | ratio | aim | met |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            out += &format!("| {} |\n", row.join(" | "));
        }
        out
    }
}

/// The middle of some measurements; nought when there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

pub fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}

pub fn millis(micros: f64) -> String {
    format!("{:.1} ms", micros / 1000.0)
}
