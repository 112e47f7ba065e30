//! Whether one of some words stands in a text, in any case: fast enough to be asked of every file of a repository.
//!
//! A search for several words in any case goes through a text byte by byte. So the four bytes of each word that are rarest in programs are
//! looked for first, in all their cases, which the processor does for many bytes at once.

use std::collections::BTreeMap;

use aho_corasick::packed::{Config, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, Span};

/// Letters and signs of names, the frequent ones first, as they are in programs.
const FREQUENT: &[u8] = b"etraniosldcpumhfgybvwk_x-jqz";

/// So many bytes of a word are looked for first.
const WINDOW: usize = 4;

/// More would be looked for one after the other.
const MOST_WINDOWS: usize = 64;

/// What finds words.
#[derive(Debug)]
pub(super) struct Finder {
    fast: Option<Fast>,
    slow: AhoCorasick,
}

#[derive(Debug)]
struct Fast {
    words: Vec<Vec<u8>>,
    searcher: Searcher,
    /// For each window the words that it may be a part of, and where in them it stands.
    windows: Vec<Vec<(usize, usize)>>,
}

impl Finder {
    /// What finds these words; nothing where they are too many.
    pub fn new(words: &[String]) -> Option<Self> {
        let slow = AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()?;
        Some(Self { fast: Fast::new(words), slow })
    }

    /// Whether one of the words stands in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.fast.as_ref().map_or_else(|| self.slow.is_match(text), |fast| fast.is_match(text))
    }
}

impl Fast {
    /// Words of less than three letters are everywhere: nothing is won by looking for parts of them.
    fn new(words: &[String]) -> Option<Self> {
        let words = shortest(words);
        let length = words.iter().map(Vec::len).min().filter(|shortest| *shortest > 2)?.min(WINDOW);
        let mut places: BTreeMap<Vec<u8>, Vec<(usize, usize)>> = BTreeMap::new();
        for (number, word) in words.iter().enumerate() {
            let at = rarest(word, length);
            for window in cases(&word[at..at + length]) {
                places.entry(window).or_default().push((number, at));
            }
        }
        if places.len() > MOST_WINDOWS {
            return None;
        }
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        let searcher = builder.extend(places.keys()).build()?;
        Some(Self { words, searcher, windows: places.into_values().collect() })
    }

    fn is_match(&self, text: &[u8]) -> bool {
        let mut rest = Span { start: 0, end: text.len() };
        while let Some(found) = self.searcher.find_in(text, rest) {
            let stands = |(word, at): &(usize, usize)| {
                let word = &self.words[*word];
                let start = found.start().checked_sub(*at);
                let here = start.and_then(|start| text.get(start..start + word.len()));
                here.is_some_and(|here| here.eq_ignore_ascii_case(word))
            };
            if self.windows[found.pattern().as_usize()].iter().any(stands) {
                return true;
            }
            rest.start = found.start() + 1;
        }
        false
    }
}

/// The words in lower case without those that hold another.
fn shortest(words: &[String]) -> Vec<Vec<u8>> {
    let mut words: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    words.sort_by_key(String::len);
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        if !kept.iter().any(|shorter| word.contains(shorter.as_str())) {
            kept.push(word);
        }
    }
    kept.into_iter().map(String::into_bytes).collect()
}

/// Where the rarest part of a word begins.
fn rarest(word: &[u8], length: usize) -> usize {
    let rarity = |byte: &u8| FREQUENT.iter().position(|it| it == byte).unwrap_or(FREQUENT.len());
    let windows = word.windows(length).enumerate();
    windows.max_by_key(|(_, window)| window.iter().map(rarity).sum::<usize>()).map_or(0, |(at, _)| at)
}

/// Some bytes in lower case in all their cases.
fn cases(window: &[u8]) -> Vec<Vec<u8>> {
    window.iter().fold(vec![Vec::new()], |starts, &byte| {
        let mut all = Vec::new();
        for start in starts {
            let upper = byte.to_ascii_uppercase();
            all.extend((upper != byte).then(|| [start.as_slice(), &[upper]].concat()));
            all.push([start.as_slice(), &[byte]].concat());
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder(words: &[&str]) -> Finder {
        Finder::new(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()).expect("a few words")
    }

    /// Both ways agree on every place of a word in a text, at its ends and in other cases.
    #[test]
    fn the_fast_way_finds_what_the_slow_one_finds() {
        let words = ["order_items", "orderItems", "OrderItem", "order-item"];
        let finder = finder(&words);
        let fast = finder.fast.as_ref().expect("few windows");
        for word in [
            "order_item",
            "ORDERITEM",
            "Order-Items",
            "oRdErItEm",
            "order_ite",
            "rder_item",
            "order.item",
            "",
        ] {
            for before in 0..40 {
                for after in [0, 1, 40] {
                    let text = format!("{}{word}{}", "r_it".repeat(before), "x".repeat(after));
                    assert_eq!(
                        fast.is_match(text.as_bytes()),
                        finder.slow.is_match(text.as_bytes()),
                        "{text}"
                    );
                }
            }
        }
    }

    #[test]
    fn words_that_are_everywhere_and_none_are_no_reason_to_panic() {
        assert!(finder(&["id"]).fast.is_none() && finder(&["id"]).is_match(b"the Id"));
        assert!(finder(&[""]).is_match(b"") && finder(&["", "users"]).is_match(b"x"));
        assert!(!finder(&[]).is_match(b"users"));
        assert!(finder(&["größe"]).is_match("die GRößE".as_bytes()));
    }
}
