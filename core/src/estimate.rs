//! How long work takes: work times rate, always as a range with what it assumed.
//!
//! Rates are seconds per million rows and per gigabyte, measured on PostgreSQL 15 with warm caches (docs/measurements.md, "Durations").
//! Without a calibration of the user's own server a factor of five either way is honest: storage differs tenfold, load two to
//! four times, caches up to five.

use std::collections::BTreeMap;

use crate::catalog::RelationName;
use crate::effect::{Effect, Work};
use crate::quantity::{Seconds, counted};

/// How large tables are, and how that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sizes {
    /// Of tables that nothing is said of by name.
    pub others: Option<Size>,
    /// Of tables by their names, as people write them.
    pub tables: BTreeMap<String, Size>,
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq)]
pub struct Size {
    /// Its rows.
    pub rows: u64,
    /// Bytes of a row, where they are known.
    pub row_bytes: Option<u64>,
    /// `live`, `declared`.
    pub source: String,
}

impl Sizes {
    /// All tables have so many rows.
    pub fn of_all(rows: u64, source: impl Into<String>) -> Self {
        let others = Some(Size { rows, row_bytes: None, source: source.into() });
        Self { others, tables: BTreeMap::new() }
    }

    /// The size of a relation.
    pub fn of(&self, relation: &RelationName) -> Option<&Size> {
        let by_name = self.tables.iter().find(|(name, _)| relation.is_called(name)).map(|(_, size)| size);
        by_name.or(self.others.as_ref())
    }

    /// The same with every table so many times as large.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let scaled = |size: &Size| Size { rows: (size.rows as f64 * factor) as u64, ..size.clone() };
        Self {
            others: self.others.as_ref().map(scaled),
            tables: self.tables.iter().map(|(name, size)| (name.clone(), scaled(size))).collect(),
        }
    }
}

impl Size {
    fn millions(&self) -> f64 {
        self.rows as f64 / 1e6
    }

    /// All bytes of the rows.
    pub fn bytes(&self) -> f64 {
        self.rows as f64 * self.row_bytes.map_or(ROW_BYTES, |it| it as f64)
    }
}

/// The least, the likely and the most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// What is to be expected.
    pub likely: f64,
    /// The most.
    pub high: f64,
}

impl Range {
    /// An uncalibrated estimate around a value.
    pub fn around(likely: f64) -> Self {
        Self { low: likely / SPREAD, likely, high: likely * SPREAD }
    }

    /// A value that is no estimate.
    pub fn exactly(value: f64) -> Self {
        Self { low: value, likely: value, high: value }
    }

    /// Both, one after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, likely: self.likely + other.likely, high: self.high + other.high }
    }

    /// The least and the most.
    pub fn ends(self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// As a span of time in words.
    pub fn in_words(self) -> String {
        in_words(self.ends())
    }
}

/// A range of seconds with what it assumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The longest kind of work.
    pub work: Work,
    /// The least and the most, in seconds, without the wait for the lock; unknown without the number of rows.
    pub seconds: Option<(f64, f64)>,
    /// What it assumed, in words.
    pub assumed: String,
}

/// Bytes of a row where nothing is known.
const ROW_BYTES: f64 = 200.0;
/// How far reality may lie from an uncalibrated estimate, either way.
const SPREAD: f64 = 5.0;
/// Indexes beside the key's of a table of which nothing is known.
const INDEXES: usize = 2;

/// How long the work of an effect takes, apart from waiting for its locks; `None` where it only writes the catalog.
pub fn estimate(effect: &Effect, sizes: Option<&Sizes>) -> Option<Estimate> {
    let work = effect.heaviest_work()?;
    let parts: Option<Vec<(&Size, Range)>> = effect
        .work
        .iter()
        .map(|(relation, work)| {
            let size = sizes?.of(relation)?;
            Some((size, of_work(*work, size)))
        })
        .collect();
    let Some(parts) = parts else {
        let assumed = "the number of rows is not known".to_owned();
        return Some(Estimate { work, seconds: None, assumed });
    };
    let seconds = parts.iter().map(|(_, range)| *range).reduce(Range::plus).unwrap_or_default().ends();
    let largest = parts.iter().map(|(size, _)| *size).max_by_key(|size| size.rows)?;
    let bytes = largest.row_bytes.map_or(ROW_BYTES, |it| it as f64);
    let assumed =
        format!("{} rows ({}) of {bytes} bytes, no calibration", counted(largest.rows), largest.source);
    Some(Estimate { work, seconds: Some(seconds), assumed })
}

/// How long one kind of work on a table of this size takes.
pub fn of_work(work: Work, size: &Size) -> Range {
    let (per_million, per_gigabyte) = match work {
        Work::Scan => (0.06, 0.19),
        Work::IndexBuild => (0.71, 0.31),
        Work::Rewrite => (0.79, 4.47),
        Work::FileCopy => (0.0, 4.0),
        Work::Update => return update(size, INDEXES, false),
    };
    Range::around(per_million * size.millions() + per_gigabyte * size.bytes() / 1e9)
}

/// How long it takes to write every row of a table once more, with so many indexes beside the key's. Interleaved, most new versions
/// stay on their page and no index is written.
pub fn update(size: &Size, indexes: usize, interleaved: bool) -> Range {
    let per_index = if interleaved { 0.9 } else { 7.5 };
    Range::around((3.0 + per_index * indexes as f64) * size.millions() + 3.0 * size.bytes() / 1e9)
}

/// How long it takes to copy every row of a table to another one that has so many indexes.
pub fn copied(size: &Size, indexes: usize) -> Range {
    Range::around((2.5 + 1.0 * indexes as f64) * size.millions() + 4.0 * size.bytes() / 1e9)
}

/// Bytes of WAL that it writes to write every row of a table once more.
pub fn written(size: &Size, indexes: usize, interleaved: bool) -> f64 {
    let row = size.row_bytes.map_or(ROW_BYTES, |it| it as f64);
    let of_indexes = if interleaved { 10.0 } else { 115.0 };
    size.rows as f64 * (row * 1.8 + 100.0 + of_indexes * indexes as f64)
}

/// A range of seconds in words.
pub fn in_words((least, most): (f64, f64)) -> String {
    let (least, most) = (Seconds(least).to_string(), Seconds(most).to_string());
    if least == most { most } else { format!("{least} to {most}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow(rows: u64) -> Size {
        Size { rows, row_bytes: Some(93), source: "measured".to_owned() }
    }

    #[track_caller]
    fn holds(range: Range, measured: f64) {
        assert!(range.low <= measured && measured <= range.high, "{measured} is not in {range:?}");
        assert!(
            range.likely / measured < 3.0 && measured / range.likely < 3.0,
            "{measured} is far from {range:?}"
        );
    }

    /// What servers took (PostgreSQL 15.18, narrow rows of 93 bytes, and wide ones of 1 kB).
    #[test]
    fn what_was_measured_lies_in_the_ranges() {
        holds(update(&narrow(1_000_000), 0, false), 3.8);
        holds(update(&narrow(1_000_000), 4, false), 32.0);
        holds(update(&narrow(500_000), 4, true), 3.9);
        holds(of_work(Work::IndexBuild, &narrow(1_000_000)), 0.76);
        holds(of_work(Work::Rewrite, &narrow(1_000_000)), 1.12);
        let wide = Size { rows: 1_000_000, row_bytes: Some(1_024), source: "measured".to_owned() };
        holds(update(&wide, 0, false), 6.8);
        holds(of_work(Work::Rewrite, &wide), 5.7);
    }

    #[test]
    fn a_table_has_its_own_size() {
        let mut sizes = Sizes::of_all(1_000, "declared");
        sizes.tables.insert("users".to_owned(), narrow(5_000_000));
        let of = |name: &str| {
            sizes.of(&RelationName { schema: "public".into(), name: name.into() }).map(|it| it.rows)
        };
        assert_eq!((of("users"), of("orders")), (Some(5_000_000), Some(1_000)));
    }
}
