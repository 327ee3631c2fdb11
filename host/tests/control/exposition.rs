//! Reads metrics as strictly as their format is written: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::{BTreeMap, BTreeSet};

/// Every sample by its name and sorted labels, as in `up{job="a"}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exposition(pub(crate) BTreeMap<String, f64>);

impl Exposition {
    /// Panics where the text is not well-formed, or breaks a convention.
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has an end");
        let (mut all, mut seen) = (BTreeMap::new(), BTreeSet::new());
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (name, help) = line
                .strip_prefix("# HELP ")
                .unwrap_or_else(|| panic!("a family begins with its help: {line}"))
                .split_once(' ')
                .unwrap();
            assert!(is_name(name) && !name.contains(':'), "{name}");
            assert!(!help.trim().is_empty() && !help.ends_with('.'), "{line}");
            assert!(seen.insert(name.to_owned()), "{name} is there twice");
            let kind = lines
                .next()
                .and_then(|line| line.strip_prefix("# TYPE "))
                .and_then(|line| line.strip_prefix(name))
                .unwrap()
                .trim();
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            for unit in ["_ms", "_millis", "_micros", "_minutes", "_kb", "_mb", "_percent"] {
                assert!(!name.ends_with(unit), "{name} is not in base units");
            }
            let mut family = BTreeMap::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                let sample = Sample::read(line);
                assert_eq!(family.insert(sample.key(), sample).map(|twice| twice.key()), None);
            }
            match kind {
                "counter" | "gauge" => {
                    assert!(family.values().all(|sample| sample.name == name), "{name}: {family:?}");
                    assert!(kind == "gauge" || family.values().all(|sample| sample.value >= 0.0));
                }
                "histogram" => check_histogram(name, &family),
                _ => panic!("{name} is a {kind}"),
            }
            all.extend(family.into_iter().map(|(key, sample)| (key, sample.value)));
        }
        Self(all)
    }

    /// The value of this sample; what is not there is a failure.
    pub(crate) fn get(&self, key: &str) -> f64 {
        *self.0.get(key).unwrap_or_else(|| panic!("there is no {key} in {:#?}", self.0))
    }

    /// The values of a label over all samples.
    pub(crate) fn values_of(&self, label: &str) -> BTreeSet<String> {
        let start = format!("{label}=\"");
        let value = |key: &String| {
            let labels = key.split_once('{')?.1.strip_suffix('}')?;
            let found = labels.split(',').find_map(|one| one.strip_prefix(&start))?;
            Some(found.strip_suffix('"').unwrap().to_owned())
        };
        self.0.keys().filter_map(value).collect()
    }

    /// The sum over all samples of a name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let of = self.0.iter().filter(|(key, _)| key.split('{').next() == Some(name));
        of.map(|(_, value)| value).sum()
    }
}

#[derive(Debug, Clone)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Sample {
    fn read(line: &str) -> Self {
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let (name, mut rest) = line.split_at(end);
        assert!(is_name(name), "{line}");
        let mut labels = BTreeMap::new();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner;
            loop {
                let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                assert!(is_name(label) && !label.contains(':') && !label.starts_with("__"), "{line}");
                let (value, after) = quoted(after);
                assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
                match after.strip_prefix(',') {
                    Some(more) => rest = more,
                    None => {
                        rest = after.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
                        break;
                    }
                }
            }
        }
        let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(!value.contains(' '), "there is no time, that is the reader's: {line}");
        Self { name: name.to_owned(), labels, value: number(value) }
    }

    fn key(&self) -> String {
        if self.labels.is_empty() {
            return self.name.clone();
        }
        let labels: Vec<String> =
            self.labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        format!("{}{{{}}}", self.name, labels.join(","))
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    chars.next().is_some_and(is_first) && chars.all(|c| is_first(c) || c.is_ascii_digit())
}

/// What is between the quotes, and what comes behind them.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().unwrap().1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                c => panic!("\\{c} is no escape: {text}"),
            }),
            c => value.push(c),
        }
    }
    panic!("a quote is not closed: {text}");
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        _ => {
            assert!(text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte)), "{text}");
            text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
        }
    }
}

/// The parts of one histogram.
#[derive(Default)]
struct Histogram {
    /// Each bucket's bound, and what is within it.
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

/// Buckets that grow up to the count, with a sum.
fn check_histogram(name: &str, family: &BTreeMap<String, Sample>) {
    let mut of_labels: BTreeMap<BTreeMap<String, String>, Histogram> = BTreeMap::new();
    for sample in family.values() {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        let Histogram { buckets, sum, count } = of_labels.entry(labels).or_default();
        match sample.name.strip_prefix(name).unwrap_or_else(|| panic!("{sample:?}")) {
            "_bucket" => buckets.push((number(&bound.unwrap()), sample.value)),
            "_sum" => *sum = Some(sample.value),
            "_count" => *count = Some(sample.value),
            other => panic!("{name}{other}"),
        }
    }
    for (labels, Histogram { mut buckets, sum, count }) in of_labels {
        assert!(sum.is_some(), "{name} {labels:?}");
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(
            buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0].0 < pair[1].0),
            "{buckets:?}"
        );
        assert_eq!(
            buckets.last().map(|(bound, within)| (*bound, Some(*within))),
            Some((f64::INFINITY, count))
        );
    }
}

#[test]
fn what_is_malformed_is_not_taken() {
    let good = "# HELP a_total b\n# TYPE a_total counter\na_total{x=\"1\"} 1\n";
    assert_eq!(Exposition::read(good).get("a_total{x=\"1\"}"), 1.0);
    for (from, to) in [
        ("counter", "gauge"),
        ("{x=\"1\"}", "{x=\"1\"\n}"),
        ("\"1\"", "\"\\1\""),
        (" 1\n", " 1 17\n"),
        (" 1\n", " one\n"),
        ("1\n", "1"),
        ("a_total{", "b_total{"),
        ("# TYPE a_total counter\n", ""),
        ("} 1\n", "} 1\na_total{x=\"1\"} 2\n"),
        ("} 1\n", "} 1\n# HELP a_total b\n# TYPE a_total counter\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(std::panic::catch_unwind(|| Exposition::read(&bad)).is_err(), "{bad}");
    }
}
