//! The files that a rewrite made: which step of how many each is, and whether all that must be there are.
//!
//! A set is known by the headers of its files alone, so that it is found in any checkout. The files behind the first were written together, so they follow
//! each other. What waits for its release (`rewrite --phase`) is missing at the end of a set, where nothing is wrong; in between, something is.

use crate::folder::Problem;

/// What the header of a step's file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// What must be so before it.
    pub before: Vec<String>,
}

/// The steps of one change that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSet {
    /// How many steps the change has.
    pub count: usize,
    /// Those that are there, by number: each with its file.
    pub files: Vec<(usize, String)>,
    /// Another change has as many steps, so that a file may belong to that one.
    pub ambiguous: bool,
}

impl Step {
    /// Reads the header of a text; `None` where it has none.
    pub fn of(text: &str) -> Option<Self> {
        let lines = lockkeeper_core::text::lines(text).map(str::trim);
        let comments = lines.take_while(|line| line.is_empty() || line.starts_with("--"));
        let mut words = comments.filter_map(|line| line.strip_prefix("-- "));
        let (number, count) = words.find_map(numbers)?;
        let before = words.filter_map(|line| line.strip_prefix("Before it: ")).map(str::to_owned);
        Some(Self { number, count, before: before.collect() })
    }
}

/// `Step 2 of 7 (backfill): …`
fn numbers(line: &str) -> Option<(usize, usize)> {
    let (number, rest) = line.strip_prefix("Step ")?.split_once(" of ")?;
    let (count, _) = rest.split_once(" (")?;
    let (number, count) = (number.parse().ok()?, count.parse().ok()?);
    (1 <= number && number <= count).then_some((number, count))
}

/// The sets of the steps of a folder, which are given in their order.
pub fn sets<'a>(steps: impl IntoIterator<Item = (&'a str, Step)>) -> Vec<StepSet> {
    let mut sets: Vec<StepSet> = Vec::new();
    for (path, step) in steps {
        let goes_on = |it: &&mut StepSet| it.count == step.count && it.last() < step.number;
        // The one that lacks least, and of those the oldest.
        let nearest = sets.iter_mut().filter(goes_on).min_by_key(|it| step.number - it.last());
        match nearest.filter(|_| step.number > 1) {
            Some(set) => set.files.push((step.number, path.to_owned())),
            None => sets.push(StepSet {
                count: step.count,
                files: vec![(step.number, path.to_owned())],
                ambiguous: false,
            }),
        }
    }
    let counts: Vec<usize> = sets.iter().map(|it| it.count).collect();
    for set in &mut sets {
        set.ambiguous = counts.iter().filter(|count| **count == set.count).count() > 1;
    }
    sets
}

impl StepSet {
    fn last(&self) -> usize {
        self.files.last().map_or(0, |(number, _)| *number)
    }

    /// The steps that are not there although a later one is.
    pub fn missing(&self) -> Vec<usize> {
        let is_there = |number: &usize| self.files.iter().any(|(own, _)| own == number);
        (1..self.last()).filter(|number| !is_there(number)).collect()
    }

    /// The files behind the first gap: without those that are missing they do not fit what runs.
    pub fn behind_the_gap(&self) -> Vec<&str> {
        let Some(gap) = self.missing().first().copied() else { return Vec::new() };
        self.files.iter().filter(|(number, _)| *number > gap).map(|(_, path)| path.as_str()).collect()
    }

    /// What is wrong with the set, for each of its files.
    pub fn problems(&self) -> Vec<Problem> {
        let missing = self.missing();
        if missing.is_empty() {
            return Vec::new();
        }
        let numbers: Vec<String> = missing.iter().map(usize::to_string).collect();
        let lacks = match numbers.as_slice() {
            [one] => format!("step {one} is not here"),
            many => format!("steps {} are not here", many.join(", ")),
        };
        let behind = self.behind_the_gap().join(", ");
        let of_file = |(number, path): &(usize, String)| {
            let message = format!("is step {number} of {} of one change, and {lacks}", self.count);
            let advice = format!("bring back what was undone or removed, or remove {behind}");
            Problem::new(path, message, advice)
        };
        self.files.iter().map(of_file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(steps: &[(&str, usize, usize)]) -> Vec<StepSet> {
        let step =
            |number: &usize, count: &usize| Step { number: *number, count: *count, before: Vec::new() };
        sets(steps.iter().map(|(path, number, count)| (*path, step(number, count))))
    }

    #[track_caller]
    fn missing(steps: &[(&str, usize, usize)], expected: &[&[usize]]) {
        let found = found(steps);
        assert_eq!(found.iter().map(StepSet::missing).collect::<Vec<_>>(), expected, "{found:#?}");
    }

    #[test]
    fn headers_stand_behind_markers() {
        let text = "-- migrate:up\n-- Step 2 of 7 (backfill): fill it\n-- Before it: released: say full_name\nSELECT 1;";
        let before = vec!["released: say full_name".to_owned()];
        assert_eq!(Step::of(text), Some(Step { number: 2, count: 7, before }));
        for none in
            ["", "SELECT 1; -- Step 2 of 7 (backfill): x", "-- Step 8 of 7 (expand): x", "-- Step x of 7 (y)"]
        {
            assert_eq!(Step::of(none), None, "{none}");
        }
    }

    #[test]
    fn gaps_are_found_and_what_waits_is_none() {
        missing(&[("a", 1, 3), ("b", 2, 3), ("c", 3, 3)], &[&[]]);
        missing(&[("a", 1, 3), ("b", 2, 3)], &[&[]]);
        missing(&[("b", 2, 3), ("c", 3, 3)], &[&[1]]);
        missing(&[("a", 1, 3), ("c", 3, 3)], &[&[2]]);
    }

    #[test]
    fn changes_with_as_many_steps_are_told_apart_by_their_order() {
        let two = [("a", 1, 3), ("x", 1, 3), ("b", 2, 3), ("c", 3, 3), ("y", 2, 3), ("z", 3, 3)];
        missing(&two, &[&[], &[]]);
        missing(&[("a", 1, 2), ("x", 1, 3), ("b", 2, 2), ("z", 3, 3)], &[&[], &[2]]);
        assert!(found(&two).iter().all(|it| it.ambiguous));
    }

    #[test]
    fn every_file_of_a_set_with_a_gap_says_so() {
        let problems = found(&[("a", 1, 4), ("c", 3, 4), ("d", 4, 4)])[0].problems();
        let said: Vec<String> =
            problems.iter().map(|it| format!("{} {}: {}", it.path, it.message, it.advice)).collect();
        assert_eq!(said.len(), 3);
        assert_eq!(
            said[0],
            "a is step 1 of 4 of one change, and step 2 is not here: bring back what was undone or removed, or remove c, d"
        );
    }
}
