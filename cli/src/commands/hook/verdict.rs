//! What the hook says of a call.

/// From the weakest to the strongest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is said: the host's own rules go on.
    Pass,
    /// It could not be read, so that only the human can tell.
    Unread(String),
    /// The human is asked.
    Ask(String),
    /// It is not done.
    Refuse(String),
}

impl Verdict {
    /// The stronger of two; the first of equal ones.
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::Refuse(_)) {
            return self;
        }
        let other = other();
        if other.strength() > self.strength() { other } else { self }
    }

    /// The strongest of several; nothing behind a refusal is looked at.
    pub fn strongest<T>(items: impl IntoIterator<Item = T>, mut of: impl FnMut(T) -> Self) -> Self {
        items.into_iter().fold(Self::Pass, |strongest, item| strongest.or(|| of(item)))
    }

    fn strength(&self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Unread(_) => 1,
            Self::Ask(_) => 2,
            Self::Refuse(_) => 3,
        }
    }
}
