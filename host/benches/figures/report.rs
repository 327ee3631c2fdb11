//! What was found: figures as they come, and all of them in a table at the end.

use std::{collections::BTreeMap, fmt};

use comfy_table::{Table, presets};

/// What a ratio must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// It is at most this.
    AtMost(f64),
    /// It is at least this.
    AtLeast(f64),
    /// It is for information.
    None,
}

impl Limit {
    /// Whether a ratio holds it; `None` where there is nothing to hold, or no ratio.
    fn is_held_by(self, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::AtMost(most) => ratio.map(|ratio| ratio <= most),
            Self::AtLeast(least) => ratio.map(|ratio| ratio >= least),
            Self::None => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::None => f.write_str("–"),
        }
    }
}

/// One figure beside its floor or peer. Limits apply to the ratio; a limit that is a plain number has it in `beside`,
/// and the ratio is the share of it that is used.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) ours: String,
    pub(crate) beside: String,
    pub(crate) ratio: Option<f64>,
    pub(crate) limit: Limit,
}

impl Figure {
    fn holds(&self) -> &'static str {
        match self.limit.is_held_by(self.ratio) {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "–",
        }
    }

    fn ratio(&self) -> String {
        let digits = |ratio: f64| if ratio < 0.1 { 4 } else { 2 };
        self.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.0$}", digits(ratio)))
    }
}

/// Gathers what the sections find, and says it at once.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    points: BTreeMap<String, Vec<(f64, f64)>>,
    broken: Vec<String>,
}

impl Report {
    /// A new section begins.
    pub(crate) fn section(&mut self, name: &str, what: &str) {
        println!("\n{name}: {what}");
    }

    pub(crate) fn figure(&mut self, figure: Figure) {
        let Figure { name, ours, beside, limit, .. } = &figure;
        println!(
            "  {name}: {ours}; beside {beside}; ratio {} (limit {limit}, holds: {})",
            figure.ratio(),
            figure.holds()
        );
        self.figures.push(figure);
    }

    /// Something to know about the figures around it.
    pub(crate) fn note(&mut self, note: String) {
        println!("  {note}");
    }

    /// A promise was broken: the program ends with a failure, whatever the figures are.
    pub(crate) fn broken(&mut self, what: String) {
        println!("  BROKEN: {what}");
        self.broken.push(what);
    }

    /// A point of a growth plot. A series is named `chart: line`; see `plot.rs` for the charts.
    pub(crate) fn plot_point(&mut self, series: &str, x: f64, y: f64) {
        self.points.entry(series.to_owned()).or_default().push((x, y));
    }

    /// The points of all plots, by series.
    pub(crate) fn points(&self) -> &BTreeMap<String, Vec<(f64, f64)>> {
        &self.points
    }

    /// All figures in a table, for a terminal or as Markdown; true when no promise was broken.
    pub(crate) fn summary(&self, markdown: bool) -> bool {
        let mut table = Table::new();
        table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::NOTHING });
        table.set_header(["figure", "ours", "floor, peer or limit", "ratio", "limit", "holds"]);
        for figure in &self.figures {
            let Figure { name, ours, beside, limit, .. } = figure;
            table.add_row([
                name.clone(),
                ours.clone(),
                beside.clone(),
                figure.ratio(),
                limit.to_string(),
                figure.holds().to_owned(),
            ]);
        }
        println!("\n{table}");
        let missed: Vec<&str> = self
            .figures
            .iter()
            .filter(|figure| figure.limit.is_held_by(figure.ratio) == Some(false))
            .map(|figure| figure.name.as_str())
            .collect();
        let limited =
            self.figures.iter().filter(|figure| figure.limit.is_held_by(figure.ratio).is_some()).count();
        println!("\n{} of {limited} limits hold", limited - missed.len());
        for name in missed {
            println!("not reached: {name}");
        }
        for what in &self.broken {
            println!("BROKEN: {what}");
        }
        self.broken.is_empty()
    }
}
