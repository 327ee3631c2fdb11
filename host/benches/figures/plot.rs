//! Growth plots, as SVG on white, so that they can be read on light and dark pages.

use std::{collections::BTreeMap, fs, ops::Range, path::Path};

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::*,
};

/// A plot: the series named `name: line` are its lines.
#[derive(Clone, Copy)]
struct Chart<'a> {
    name: &'a str,
    title: &'a str,
    x: &'a str,
    y: &'a str,
    /// Whether y is drawn in powers of ten as well.
    y_in_powers: bool,
}

const CHARTS: [Chart<'static>; 5] = [
    Chart {
        name: "fire",
        title: "Cost of a fire against the number of jobs",
        x: "jobs",
        y: "µs a fire",
        y_in_powers: false,
    },
    Chart {
        name: "memory",
        title: "Resident memory of a host against the number of jobs",
        x: "jobs",
        y: "MiB",
        y_in_powers: true,
    },
    Chart {
        name: "reload",
        title: "Reload that changes one job against the number of jobs",
        x: "jobs",
        y: "ms",
        y_in_powers: true,
    },
    Chart {
        name: "instances",
        title: "Resident memory against parked instances",
        x: "instances",
        y: "MiB",
        y_in_powers: false,
    },
    Chart {
        name: "throughput",
        title: "Runs a second against concurrent instances",
        x: "instances",
        y: "runs a second",
        y_in_powers: false,
    },
];

const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 90, 181),
    RGBColor(220, 50, 32),
    RGBColor(0, 120, 80),
    RGBColor(120, 60, 160),
    RGBColor(150, 100, 0),
];

type Points = Vec<(f64, f64)>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// Writes a file for each chart that has points; a chart that no section took points for stays as it is. A series of
/// none of the charts above gets a plain one of its own.
pub(crate) fn write(folder: &Path, points: &BTreeMap<String, Points>) {
    fs::create_dir_all(folder).expect("a folder for the plots");
    let mut charts: BTreeMap<&str, Vec<(&str, Points)>> = BTreeMap::new();
    for (series, points) in points {
        let (chart, line) = series.split_once(": ").unwrap_or((series, series));
        let mut points = points.clone();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        charts.entry(chart).or_default().push((line, points));
    }
    for (name, lines) in charts {
        let plain = Chart { name, title: name, x: "", y: "", y_in_powers: false };
        let chart = CHARTS.into_iter().find(|chart| chart.name == name).unwrap_or(plain);
        let path = folder.join(format!("{}.svg", name.replace(|c: char| !c.is_alphanumeric(), "-")));
        let area = SVGBackend::new(&path, (800, 480)).into_drawing_area();
        draw(&chart, &lines, &area).expect("a plot");
        drop(area);
        println!("written: {}", path.display());
    }
}

fn draw<'a>(chart: &Chart<'_>, lines: &[(&str, Points)], area: &Area<'a>) -> Drawn<'a> {
    let bounds = |of: fn(&(f64, f64)) -> f64| {
        let values = lines.iter().flat_map(|(_, points)| points).map(of);
        values.fold(f64::INFINITY..f64::NEG_INFINITY, |range, value| {
            range.start.min(value)..range.end.max(value)
        })
    };
    let (x, y) = (bounds(|point| point.0), bounds(|point| point.1));
    let x = powers(&x);
    if chart.y_in_powers {
        draw_with(chart, lines, area, x, powers(&y).log_scale())
    } else {
        draw_with(chart, lines, area, x, 0.0..y.end * 1.4)
    }
}

/// From one power of ten to another.
fn powers(range: &Range<f64>) -> Range<f64> {
    let start = 10_f64.powf(range.start.log10().floor());
    start..10_f64.powf(range.end.log10().ceil()).max(start * 10.0)
}

fn draw_with<'a, Y>(
    chart: &Chart<'_>,
    lines: &[(&str, Points)],
    area: &Area<'a>,
    x: Range<f64>,
    y: Y,
) -> Drawn<'a>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
{
    area.fill(&WHITE)?;
    let mut plot = ChartBuilder::on(area)
        .caption(chart.title, ("sans-serif", 20))
        .margin(16)
        .margin_right(32)
        .x_label_area_size(48)
        .y_label_area_size(80)
        .build_cartesian_2d(x.log_scale(), y)?;
    plot.configure_mesh()
        .light_line_style(BLACK.mix(0.05))
        .bold_line_style(BLACK.mix(0.15))
        .y_max_light_lines(4)
        .x_desc(chart.x)
        .y_desc(chart.y)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 15))
        .draw()?;
    for ((name, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        plot.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
            .label(*name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        plot.draw_series(PointSeries::of_element(
            points.iter().copied(),
            4,
            colour.filled(),
            &|at, size, style| Circle::new(at, size, style),
        ))?;
    }
    plot.configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()
}

/// `1`, `20 k`, `1 M`.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        million if million >= 1e6 => (million / 1e6, " M"),
        thousand if thousand >= 1e3 => (thousand / 1e3, " k"),
        few => (few, ""),
    };
    let digits = if value == value.trunc() {
        0
    } else if value < 1.0 {
        2
    } else {
        1
    };
    format!("{value:.digits$}{unit}")
}
